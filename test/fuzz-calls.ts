// Calls for the fuzz: of any operation, by any credential, with parameters, headers, bodies and cursors of every kind.
import * as fc from "fast-check"
import { completed, type Operation, type Parameter, requestOf, type Said } from "./api-operations.ts"
import type { World } from "./api-world.ts"
import { sentTo } from "./fuzz-bodies.ts"
import { text, value } from "./fuzz-values.ts"

type Pairs = ReadonlyArray<readonly [string, string]>

/** What calls are made of. */
export interface Material {
  readonly world: World
  /** That of the super admin first. */
  readonly keys: ReadonlyArray<string>
  /** By the name of a paged operation: queries with a cursor that belongs to them. */
  readonly cursors: ReadonlyMap<string, ReadonlyArray<Pairs>>
  /** Entity tags that were answered. */
  readonly tags: ReadonlyArray<string>
}

export interface Call {
  readonly operation: Operation
  readonly address: string
  readonly init: RequestInit
  readonly key: string
}

const inPlace = ({ parameters }: Operation, place: Parameter["in"]): ReadonlyArray<Parameter> =>
  parameters.filter(({ in: where }) => where === place)

const pairs = (world: World, parameter: Parameter): fc.Arbitrary<Pairs> => {
  const one = value(world, parameter).map((given) => [[parameter.name, given]] as const)
  const several = fc
    .array(value(world, parameter), { maxLength: parameter.schema["type"] === "array" ? 250 : 2 })
    .map((values) => values.map((given) => [parameter.name, given] as const))
  return fc.oneof(
    { weight: parameter.required ? 40 : 3, arbitrary: one },
    { weight: 1, arbitrary: several },
    { weight: parameter.required ? 1 : 12, arbitrary: fc.constant([]) },
  )
}

const queryOf = ({ world, cursors }: Material, operation: Operation): fc.Arbitrary<Pairs> => {
  const parameters = inPlace(operation, "query").filter(({ name }) => name !== "cursor")
  const nonsense = fc.oneof(
    { weight: 16, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.tuple(text, text).map((pair) => [pair]) },
    { weight: 1, arbitrary: text.map((given) => [["cursor", given] as const]) },
  )
  const any = fc
    .tuple(...parameters.map((parameter) => pairs(world, parameter)), nonsense)
    .map((all) => all.flat())
  const given = cursors.get(operation.name) ?? []
  if (given.length === 0) return any
  const another = fc
    .constantFrom(...parameters)
    .chain((parameter) => value(world, parameter).map((one) => [parameter.name, one] as const))
  const page = fc.constantFrom(...given)
  // Changed in one parameter, the list is another one than that of the cursor.
  const other = fc
    .tuple(page, another)
    .map(([query, pair]) => [...query.filter(([name]) => name !== pair[0]), pair])
  return fc.oneof(
    { weight: 6, arbitrary: any },
    { weight: 2, arbitrary: page },
    { weight: 1, arbitrary: other },
  )
}

const isHeader = (given: string): boolean => /^[\t\x20-\x7e]*$/u.test(given)
const anyHeader = text.filter(isHeader)

const RIGHT: Readonly<Record<string, ReadonlyArray<string>>> = {
  Accept: ["application/json", "*/*", "text/csv;q=0.5"],
  "X-Request-Id": ["request-1"],
  "Idempotency-Key": ["once", "twice", "thrice"],
  Range: ["bytes=0-9", "bytes=5-", "bytes=-3", "bytes=99999999-", "bytes=0-1,4-5"],
}

/** Mostly absent, or right. */
const headersOf = ({ tags }: Material, operation: Operation) => {
  const names = ["Accept", "X-Request-Id", ...inPlace(operation, "header").map(({ name }) => name)]
  const header = (name: string) =>
    fc.oneof(
      { weight: 10, arbitrary: fc.constant(undefined) },
      { weight: 4, arbitrary: fc.constantFrom(...(RIGHT[name] ?? ["*", '"x"', "W/", ...tags])) },
      { weight: 1, arbitrary: anyHeader },
    )
  return fc
    .tuple(...names.map((name) => header(name).map((given) => [name, given] as const)))
    .map((given) =>
      Object.fromEntries(given.flatMap(([name, one]) => (one === undefined ? [] : [[name, one] as const]))),
    )
}

const saidTo = (material: Material, operation: Operation): fc.Arbitrary<Said> => {
  const path = inPlace(operation, "path").map(
    (parameter) => [parameter.name, value(material.world, parameter)] as const,
  )
  const parts = fc.record({
    query: queryOf(material, operation),
    path: fc.record(Object.fromEntries(path)),
    headers: headersOf(material, operation),
  })
  if (operation.bodies.length === 0) return parts
  return fc.tuple(parts, sentTo(operation, material.world)).map(([said, { body, headers }]) => ({
    ...said,
    headers: { ...said.headers, ...headers },
    body,
  }))
}

/** What an address cannot say, or says another address with, is no case of the operation. */
const isSayable = ({ path = {}, query = [] }: Said): boolean =>
  [...Object.values(path), ...query.flat()].every((part) => part.isWellFormed()) &&
  Object.values(path).every((part) => part !== "" && part !== "." && part !== "..")

/** Stands in an address for what no encoder would write. */
const PLACE = "raw-place"
const BAD = ["%", "%2", "%zz", "%ff", "%c3%28", "%E0%A4%A", "%00", "%2F", "%u0041", "%ed%a0%80", "a%"]

/** The address with an escape in its path or query that is none, or of bytes that are no text. */
const broken = (operation: Operation, said: Said): fc.Arbitrary<readonly [string, RequestInit]> => {
  const names = ["nonsense", ...inPlace(operation, "query").map(({ name }) => name)]
  const path = Object.keys(said.path ?? {})
  const inQuery = fc.constantFrom(...names).map((name): Said => ({
    ...said,
    query: [...(said.query ?? []), [name, PLACE]],
  }))
  const inPath = path.map((name): Said => ({ ...said, path: { ...said.path, [name]: PLACE } }))
  const either = path.length === 0 ? inQuery : fc.oneof(inQuery, fc.constantFrom(...inPath))
  return fc.tuple(either, fc.constantFrom(...BAD)).map(([says, bad]) => {
    const [address, init] = requestOf(operation, completed(operation, says))
    return [address.replace(PLACE, bad), init] as const
  })
}

/** Any call of an operation. */
export const callOf = (material: Material, operations: ReadonlyArray<Operation>): fc.Arbitrary<Call> => {
  const [own = "", ...others] = material.keys
  const key = fc.oneof(
    { weight: 8, arbitrary: fc.constant(own) },
    { weight: 3, arbitrary: fc.constantFrom(...others) },
  )
  return fc.constantFrom(...operations).chain((operation) => {
    const request = saidTo(material, operation)
      .filter(isSayable)
      .chain((said) =>
        fc.oneof(
          { weight: 16, arbitrary: fc.constant(requestOf(operation, completed(operation, said))) },
          { weight: 1, arbitrary: broken(operation, said) },
        ),
      )
    return fc
      .tuple(request, key)
      .map(([[address, init], given]) => ({ operation, address, init, key: given }))
  })
}
