// With the keys of one tenant every operation, filter, path, header, body and cursor is tried against another's data.
// The operations come from the specification: a new one is in these tests by itself.
import { Effect } from "effect"
import { beforeAll, describe, expect, it } from "vitest"
import { Nats } from "#nats/connection.ts"
import { STREAMS } from "#schemas/names.ts"
import { renderer } from "../api/exports/test-render.ts"
import { testApp } from "../api/test-app.ts"
import { actionsOf, bodiesOf, leavesOf, withLeaf } from "./api-bodies.ts"
import { completed, type Operation, OPERATIONS, type Parameter } from "./api-operations.ts"
import { makeStranger, operation, OWN_MARK, pathOf, type Stranger, wholePath } from "./stranger.ts"
import { expectOwnFiles } from "./stranger-exports.ts"

const testing = testApp()
const { file } = renderer()
let stranger: Stranger
let before: ReadonlyArray<object>

const secured = OPERATIONS.filter(({ isSecured }) => isSecured)
const reading = secured.filter(({ method }) => method === "GET")

beforeAll(async () => {
  stranger = await makeStranger(testing)
  before = await stranger.everythingOf(stranger.theirs, stranger.theirs.key)
}, 120_000)

/** A parameter that takes what a tenant named, or may be thought to. */
const isFree = ({ name, schema }: Parameter): boolean => {
  const items = (schema["items"] ?? schema) as Parameter["schema"]
  return items["enum"] === undefined && !["from", "to", "tz", "limit", "cursor", "on", "weeks"].includes(name)
}
const takesList = ({ schema }: Pick<Parameter, "schema">): boolean => schema["type"] === "array"

/** A good body of one's own, where there is a body. */
const bodyOf = (called: Operation) => {
  const [body] = bodiesOf(called, stranger.own)
  return called.bodies.length === 0 ? {} : { body: JSON.stringify(body ?? {}) }
}

describe("of another tenant", () => {
  it.each(reading)("$name says nothing", async (called) => {
    const { keys, own, theirs, send, expectNothing } = stranger
    for (const [name, key] of keys) {
      const says = completed(called, { path: pathOf(own, called) })
      expectNothing(await send(called, says, key), [], `${name} ${called.name}`)
    }
    // There is something to be seen: with their own key.
    const says = completed(called, { path: pathOf(theirs, called) })
    expect((await send(called, says, theirs.key)).status).toBe(200)
  })

  it.each(OPERATIONS.filter(({ isSecured }) => !isSecured))(
    "$name says nothing to anybody",
    async (called) => {
      const { send, expectNothing } = stranger
      const answer = await send(called, completed(called))
      expect(answer.status).toBe(200)
      expectNothing(answer, [], called.name)
    },
  )

  const filtered = secured.flatMap((called) =>
    called.parameters
      .filter((parameter) => parameter.in === "query" && isFree(parameter))
      .map((parameter) => ({ name: called.name, filter: parameter.name, called, parameter })),
  )
  it.each(filtered)("$name with $filter knows nobody", async ({ called, parameter }) => {
    const { oneOfEach, own, theirs, kinds, named, expectAlike } = stranger
    const groups = takesList(parameter) ? [named] : kinds.map((value) => [value])
    const ownPath = called.path.includes("{") && called.method === "GET" ? [pathOf(own, called)] : []
    const paths = [pathOf(theirs, called), ...ownPath]
    for (const [name, key] of oneOfEach)
      for (const path of paths)
        for (const values of groups)
          await expectAlike(
            called,
            key,
            (value) => ({
              path: Object.fromEntries(Object.entries(path).map(([part, given]) => [part, value(given)])),
              query: values.map((one) => [parameter.name, value(one)] as const),
            }),
            [...values, ...Object.values(path)],
            `${name} ${called.name} ${parameter.name}`,
          )
  })

  const inPath = secured.filter(({ parameters }) => parameters.some(({ in: place }) => place === "path"))
  it.each(inPath)("$name finds nothing", async (called) => {
    const { keys, named, inPaths, expectAlike } = stranger
    for (const [name, key] of keys)
      for (const id of name === "super_admin" ? named : inPaths)
        await expectAlike(
          called,
          key,
          (value) => ({ path: wholePath(called, value(id)), ...bodyOf(called) }),
          [id],
          `${name} ${called.name} ${id}`,
        )
  })

  const inBody = secured.filter(({ bodies }) => bodies.length > 0)
  it.each(inBody)("$name gets nothing by its body", { timeout: 120_000 }, async (called) => {
    const { own, theirs, kinds, named, send, expectAlike } = stranger
    const bodies = bodiesOf(called, own)
    expect(bodies, `a body of ${called.name} belongs into api-bodies.ts`).not.toHaveLength(0)
    const ids = new Map<string, ReadonlyArray<string>>(Object.entries(theirs.ids))
    for (const body of bodies)
      for (const { place, schema } of leavesOf(called.body, body)) {
        const known = ids.get(place.at(-1) ?? "")?.slice(0, 1) ?? kinds
        for (const values of takesList({ schema }) ? [named] : known.map((value) => [value]))
          await expectAlike(
            called,
            own.key,
            (value) => {
              const given = values.map((one) => value(one))
              const said = withLeaf(body, place, takesList({ schema }) ? given : given[0])
              return { path: wholePath(called, "role:manager"), body: JSON.stringify(said) }
            },
            values,
            `${called.name} ${place.join(".")} ${values.join(" ")}`,
          )
      }
    // A tenant may have so many exports under way and no more.
    const { data = [] } = JSON.parse((await send(operation("GET /v1/exports"), {}, own.key)).text)
    for (const { id, state } of data)
      if (state === "queued") await send(operation("DELETE /v1/exports/{id}"), { path: { id } }, own.key)
  })

  const withHeaders = secured.flatMap((called) =>
    called.parameters
      .filter((parameter) => parameter.in === "header")
      .map((parameter) => ({ name: called.name, header: parameter.name, called })),
  )
  it.each(withHeaders)("$name with $header answers nothing of it", async ({ called, header }) => {
    const { own, sentBefore, send, expectNothing } = stranger
    for (const value of sentBefore) {
      const path = called.method === "GET" ? pathOf(own, called) : wholePath(called, "role:manager")
      const says = completed(called, { path, headers: { [header]: value }, ...bodyOf(called) })
      expectNothing(await send(called, says, own.key), [value], `${called.name} ${header}`)
    }
  })

  const paged = reading.filter(({ parameters }) => parameters.some(({ name }) => name === "cursor"))
  it.each(paged)("$name takes no cursor", async (called) => {
    const { keys, theirs, send, expectNothing } = stranger
    const first = [["limit", "1"]] as const
    const { text } = await send(called, completed(called, { query: first }), theirs.key)
    const cursor = JSON.parse(text).next_cursor
    expect(cursor, `a second page belongs into world-rows.ts: ${text}`).toBeTypeOf("string")
    for (const [name, key] of keys.filter(([name]) => name !== "producer")) {
      const says = completed(called, { query: [...first, ["cursor", cursor]] })
      const got = await send(called, says, key)
      expectNothing(got, [cursor], `${name} ${called.name}`)
      expect([400, 403], `${name} ${called.name} ${got.text}`).toContain(got.status)
    }
  })

  it("no file holds anything", { timeout: 120_000 }, async () => {
    const rows = await expectOwnFiles(stranger, testing, file)
    // Who asks without a filter has something of their own.
    expect([...rows.values()].filter((count) => count > 0).length).toBeGreaterThan(5)
    expect([...rows.values()].filter((count) => count === 0).length).toBeGreaterThan(5)
  })

  it("no event is taken, and none of one's own for a repeat of theirs", async () => {
    const { keys, own, theirs, send } = stranger
    const filter = { subjects_filter: `*.*.${theirs.tenant}.>` }
    const held = () =>
      testing.run(
        Effect.flatMap(Nats, ({ manager }) =>
          Effect.promise(() =>
            Promise.all(
              [STREAMS.actions, STREAMS.directory].map(
                async (stream) => (await manager.streams.info(stream, filter)).state.subjects,
              ),
            ),
          ),
        ),
      )
    const [event] = actionsOf(theirs)
    const sent = operation("POST /v1/events")
    const said = { body: JSON.stringify(event) }
    expect(JSON.parse((await send(sent, said, theirs.key)).text)).toMatchObject({ duplicate: false })
    expect(JSON.parse((await send(sent, said, theirs.key)).text)).toMatchObject({ duplicate: true })
    const had = await held()
    for (const called of ["POST /v1/events", "POST /v1/events/batch", "POST /v1/directory/batch"].map(
      operation,
    ))
      for (const body of bodiesOf(called, theirs))
        for (const [name, key] of keys) {
          const { status, text } = await send(called, { body: JSON.stringify(body) }, key)
          expect([422, 403], `${name} ${called.name} ${text}`).toContain(status)
        }
    expect(await held()).toEqual(had)
    const owned = { body: JSON.stringify({ ...event, tenantid: own.tenant }) }
    expect(JSON.parse((await send(sent, owned, own.key)).text)).toMatchObject({ duplicate: false })
  })

  it("nothing has changed", async () => {
    expect(await stranger.everythingOf(stranger.theirs, stranger.theirs.key)).toEqual(before)
  })
})

describe("of one's own tenant", () => {
  it("every credential sees something that was granted to it", () => {
    const { keys, ownBefore } = stranger
    const seeing = keys.filter((_, n) => JSON.stringify(ownBefore[n]).includes(OWN_MARK))
    // A producer sends, and sees nothing.
    expect(seeing.map(([name]) => name)).toEqual(
      keys.map(([name]) => name).filter((name) => name !== "producer"),
    )
  })
})
