// Bodies for the fuzz, each with its headers: mostly what the operation takes, or that with a place or two changed.
import { gzipSync } from "node:zlib"
import * as fc from "fast-check"
import { bodiesOf, leavesOf, withLeaf } from "./api-bodies.ts"
import type { Operation } from "./api-operations.ts"
import type { World } from "./api-world.ts"
import { good, text } from "./fuzz-values.ts"
import { mutations, STRANGE } from "./mutations.ts"

export interface Sent {
  readonly body: string | Uint8Array
  readonly headers: Readonly<Record<string, string>>
}

const strange = fc.oneof(fc.constantFrom<unknown>(...STRANGE), text, fc.jsonValue({ maxDepth: 3 }))

/** A good body of the operation; where it takes several things, several. */
const fitting = (operation: Operation, world: World): fc.Arbitrary<unknown> => {
  const bodies = bodiesOf(operation, world)
  const one = fc.constantFrom(...bodies)
  if (!Array.isArray(bodies[0])) return one
  return fc.array(one, { minLength: 1, maxLength: 6 }).map((several) => several.flat())
}

/** It with some places filled with what is known to the world, or with anything. */
const changed = (operation: Operation, world: World): fc.Arbitrary<unknown> =>
  fitting(operation, world).chain((body) => {
    const leaves = leavesOf(operation.body, body)
    if (leaves.length === 0) return fc.constant(body)
    const change = fc.constantFrom(...leaves).chain(({ place, schema }) => {
      const fits = good(world, { name: place.at(-1) ?? "", schema })
      const given = schema["type"] === "array" ? fc.array(fits, { maxLength: 3 }) : fits
      return fc
        .oneof({ weight: 3, arbitrary: given }, { weight: 1, arbitrary: strange })
        .map((put) => ({ place, put }))
    })
    return fc
      .array(change, { minLength: 1, maxLength: 3 })
      .map((changes) => changes.reduce((made, { place, put }) => withLeaf(made, place, put), body))
  })

const mutated = (operation: Operation, world: World): fc.Arbitrary<unknown> =>
  fc.tuple(fitting(operation, world), fc.nat(STRANGE.length), fc.nat(1000)).map(([body, salt, n]) => {
    const all = mutations(body, salt)
    return all[n % all.length]
  })

const written = (body: unknown, type: string): string =>
  type === "application/x-ndjson" && Array.isArray(body)
    ? body.map((line: unknown) => JSON.stringify(line)).join("\n")
    : (JSON.stringify(body) ?? "null")

/** In one of the media types that the operation takes, now and then compressed or under a false name. */
export const sentTo = (operation: Operation, world: World): fc.Arbitrary<Sent> => {
  const value = fc.oneof(
    { weight: 6, arbitrary: fitting(operation, world) },
    { weight: 5, arbitrary: changed(operation, world) },
    { weight: 3, arbitrary: mutated(operation, world) },
    { weight: 1, arbitrary: fc.jsonValue() },
  )
  const json = fc.tuple(value, fc.constantFrom(...operation.bodies)).map(([body, type]) => ({
    body: written(body, type),
    headers: { "Content-Type": type },
  }))
  const compressed = json.map(({ body, headers }) => ({
    body: new Uint8Array(gzipSync(body)),
    headers: { ...headers, "Content-Encoding": "gzip" },
  }))
  const misnamed = fc
    .tuple(
      json,
      fc.constantFrom<Sent["headers"]>(
        { "Content-Type": "text/plain" },
        { "Content-Type": "application/json; x=" },
        { "Content-Encoding": "br" },
        { "Content-Encoding": "gzip" },
        { "Content-Encoding": "GZIP, gzip" },
      ),
    )
    .map(([sent, headers]) => ({ ...sent, headers: { ...sent.headers, ...headers } }))
  const bytes = fc.oneof(text, fc.uint8Array({ maxLength: 200 })).map((body): Sent => ({ body, headers: {} }))
  return fc.oneof<fc.WeightedArbitrary<Sent>[]>(
    { weight: 14, arbitrary: json },
    { weight: 3, arbitrary: compressed },
    { weight: 2, arbitrary: misnamed },
    { weight: 2, arbitrary: bytes },
  )
}
