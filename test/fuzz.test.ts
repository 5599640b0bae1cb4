// Random calls of every operation of the specification: whatever is said, the answer is documented, in time, and a refusal
// has its code. FUZZ_CASES says how many cases, FUZZ_SEED which ones.
import * as fc from "fast-check"
import { beforeAll, expect, it } from "vitest"
import { STRANGE } from "./mutations.ts"
import { newTenant, testApp } from "../api/test-app.ts"
import {
  completed,
  expectDocumented,
  type Json,
  type Operation,
  OPERATIONS,
  type Parameter,
  requestOf,
  type Said,
} from "./api-operations.ts"
import { makeWorld, RANGE, type World } from "./api-world.ts"

const testing = testApp()
let world: World

const CASES = Number(process.env["FUZZ_CASES"] ?? 400)
const SEED = Number(process.env["FUZZ_SEED"] ?? Math.floor(Math.random() * 2 ** 31))
/** How long the API itself lets a request last, and a second. Milliseconds. */
const LIMIT = 26_000

beforeAll(async () => {
  world = await makeWorld(testing, newTenant(), "fuzzed")
})

/** Texts that break those who are careless with them. */
const HOSTILE = [
  "",
  " ",
  "0",
  "-1",
  "1e309",
  "NaN",
  "Infinity",
  "9007199254740993",
  "99999999999999999999999999999999999999",
  "null",
  "undefined",
  "true",
  "[]",
  "{}",
  "__proto__",
  "constructor",
  "'",
  "' OR 1=1 --",
  "'; DROP TABLE tidemark.actions; --",
  "\\' UNION ALL SELECT 1",
  "{tenant:String}",
  "%",
  "_%",
  "../../etc/passwd",
  "%2e%2e%2f",
  "$JS.API.STREAM.PURGE.ACTIONS",
  "*",
  ">",
  "a.b.c",
  "\u0000",
  "a\u0000b",
  "\r\nX-Injected: 1",
  "\uD800",
  "\uFEFF",
  "\u202Etxt",
  "ﬁ",
  "İ",
  "😀".repeat(50),
  "x".repeat(9000),
  '=HYPERLINK("http://x")',
  "<script>alert(1)</script>",
  "2026-02-30",
  "0000-00-00",
  "2026-13-01",
  "9999-12-31",
  "1969-12-31",
  "2026-10-31",
  "2026-10-01T00:00:00Z",
  "20261001",
  "+002026-10-01",
  "UTC",
  "Europe/Berlin",
  "Asia/Kathmandu",
  "America/St_Johns",
  "Mars/Olympus",
  "GMT+25",
] as const

const day = fc
  .integer({ min: Date.parse("1999-12-01") / 86_400_000, max: Date.parse("2101-02-01") / 86_400_000 })
  .map((days) => new Date(days * 86_400_000).toISOString().slice(0, 10))
const text = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...HOSTILE) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
  { weight: 1, arbitrary: fc.string({ maxLength: 400 }) },
  { weight: 1, arbitrary: day },
)

/** A value that the parameter takes. */
const good = ({ name, schema }: Pick<Parameter, "name" | "schema">): fc.Arbitrary<string> => {
  const items = (schema["items"] ?? schema) as Json
  const values = items["enum"] as ReadonlyArray<string> | undefined
  if (values !== undefined) return fc.constantFrom(...values)
  if (name === "from") return fc.constantFrom("2026-10-01", "2026-10-20", "2025-01-01")
  if (name === "to") return fc.constantFrom("2026-10-31", "2026-10-02", "2026-10-31")
  if (name === "tz") return fc.constantFrom("UTC", "Asia/Kathmandu", "Pacific/Chatham", "America/St_Johns")
  if (items["type"] === "integer") return fc.integer({ min: 1, max: 100 }).map(String)
  const known = Object.entries(world.ids).find(([kind]) => kind === name)?.[1] ?? []
  return fc.constantFrom("fuzzed", ...known, ...world.ids.key_id, ...world.ids.export_id)
}

/** Mostly what is taken, so that a call comes past the first check; now and then anything. */
const value = (parameter: Pick<Parameter, "name" | "schema">): fc.Arbitrary<string> =>
  fc.oneof({ weight: 3, arbitrary: good(parameter) }, { weight: 1, arbitrary: text })

const pairs = (parameter: Parameter): fc.Arbitrary<ReadonlyArray<readonly [string, string]>> => {
  const one = value(parameter).map((given) => [[parameter.name, given]] as const)
  const several = fc
    .array(value(parameter), { maxLength: parameter.schema["type"] === "array" ? 250 : 2 })
    .map((values) => values.map((given) => [parameter.name, given] as const))
  const required = parameter.required ? 20 : 4
  return fc.oneof(
    { weight: required, arbitrary: one },
    { weight: 1, arbitrary: several },
    { weight: parameter.required ? 1 : 8, arbitrary: fc.constant([]) },
  )
}

const BODIES: ReadonlyArray<object> = [
  { metric: "cv_downloads", period: "week", scope: "everyone", value: 5 },
  { role: "member" },
  { rights: ["see_actions"] },
  { hide_names: false },
  { report: "user_insights", format: "csv", ...RANGE },
  {
    specversion: "1.0",
    id: "e",
    source: "/fuzz",
    type: "user.logged_in",
    time: "2026-10-10T10:00:00Z",
    data: { actor_id: "u", actor_type: "member" },
  },
]

/** A body with fields of the operation and of none, good and bad. */
const body = ({ fields }: Operation): fc.Arbitrary<string | Uint8Array> => {
  const strange = fc.oneof(fc.constantFrom<unknown>(...STRANGE), text, fc.jsonValue({ maxDepth: 3 }))
  const over = fc.dictionary(
    fc.oneof(fc.constantFrom("nonsense", "__proto__", ...Object.keys(fields)), text),
    strange,
    { maxKeys: 3 },
  )
  const object = fc.tuple(fc.constantFrom(...BODIES), over).map(([base, more]) => ({ ...base, ...more }))
  return fc.oneof(
    { weight: 6, arbitrary: object.map((made) => JSON.stringify(made)) },
    { weight: 1, arbitrary: fc.array(object, { maxLength: 5 }).map((made) => JSON.stringify(made)) },
    { weight: 1, arbitrary: fc.json() },
    { weight: 1, arbitrary: text },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
  )
}

const isHeader = (given: string): boolean => /^[\t\x20-\x7e]*$/u.test(given)
const header = text.filter(isHeader)
const headers = ({ bodies, parameters }: Operation): fc.Arbitrary<Readonly<Record<string, string>>> => {
  const often = <Value>(arbitrary: fc.Arbitrary<Value>) => fc.option(arbitrary, { freq: 6, nil: undefined })
  return fc
    .record({
      "Content-Type": often(
        fc.oneof(fc.constantFrom(...bodies, "text/plain", "application/json; x="), header),
      ),
      "Content-Encoding": often(fc.constantFrom("gzip", "br", "identity", "GZIP, gzip")),
      Accept: often(header),
      "X-Request-Id": often(header),
      "If-None-Match": often(fc.constantFrom("*", '"x"', "W/")),
      ...Object.fromEntries(
        parameters.filter(({ in: place }) => place === "header").map(({ name }) => [name, often(header)]),
      ),
    })
    .map(
      (given) =>
        Object.fromEntries(Object.entries(given).filter(([, one]) => one !== undefined)) as Record<
          string,
          string
        >,
    )
}

const saidTo = (operation: Operation): fc.Arbitrary<Said> => {
  const inQuery = operation.parameters.filter(({ in: place }) => place === "query")
  const inPath = operation.parameters.filter(({ in: place }) => place === "path")
  const nonsense = fc.oneof(
    { weight: 12, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.tuple(text, text).map((pair) => [pair]) },
  )
  return fc.record({
    query: fc.tuple(...inQuery.map(pairs), nonsense).map((all) => all.flat()),
    path: fc.record(Object.fromEntries(inPath.map((parameter) => [parameter.name, value(parameter)]))),
    headers: headers(operation),
    ...(operation.bodies.length === 0 ? {} : { body: body(operation) }),
  })
}

/** What an address cannot say, or says another address with, is no case of the operation. */
const isSayable = ({ path = {}, query = [] }: Said): boolean =>
  [...Object.values(path), ...query.flat()].every((part) => part.isWellFormed()) &&
  Object.values(path).every((part) => part !== "" && part !== "." && part !== "..")

/** Removals and changes of what the world is made of would leave nothing to ask about. */
const asked = OPERATIONS.filter(({ isSecured }) => isSecured)

it(
  `${CASES} random calls are answered as documented, seed ${SEED}`,
  async () => {
    console.log(`FUZZ_SEED=${SEED} FUZZ_CASES=${CASES}`)
    const call = fc.constantFrom(...asked).chain((operation) =>
      saidTo(operation)
        .filter(isSayable)
        .map((says) => [operation, requestOf(operation, completed(operation, says))] as const),
    )
    const statuses = new Map<number, number>()
    const answers = fc.asyncProperty(call, async ([operation, [address, init]]) => {
      const began = performance.now()
      const got = await testing.call(address, world.key, init)
      expect(performance.now() - began).toBeLessThan(LIMIT)
      expect(got.status, JSON.stringify(got.body)).toBeLessThan(500)
      expectDocumented(operation, got)
      statuses.set(got.status, (statuses.get(got.status) ?? 0) + 1)
    })
    const { failed, counterexample, errorInstance } = await fc.check(answers, {
      numRuns: CASES,
      seed: SEED,
      endOnFailure: true,
    })
    const [found] = counterexample ?? []
    expect(failed, `${JSON.stringify(found?.[1])}\n${String(errorInstance)}`).toBe(false)
    // Cases that are all refused at the door would find little.
    expect(statuses.get(200) ?? 0).toBeGreaterThan(CASES / 20)
    expect(statuses.get(400) ?? 0).toBeGreaterThan(CASES / 20)
  },
  CASES * 2000 + 60_000,
)
