// With the keys of one tenant every operation, filter, path, header, body and cursor is tried against another's data.
// The operations come from the specification: a new one is in these tests by itself.
import { Effect } from "effect"
import { beforeAll, describe, expect, it } from "vitest"
import { Nats } from "#nats/connection.ts"
import { STREAMS } from "#schemas/names.ts"
import { testApp } from "../api/test-app.ts"
import { completed, type Operation, OPERATIONS, type Parameter } from "./api-operations.ts"
import { RANGE } from "./api-world.ts"
import { makeStranger, operation, plain } from "./stranger.ts"

const testing = testApp()
let stranger: Awaited<ReturnType<typeof makeStranger>>
let before: ReadonlyArray<object>

const secured = OPERATIONS.filter(({ isSecured }) => isSecured)
const reading = secured.filter(({ method }) => method === "GET")

/** All that the other tenant sees of itself. */
const everythingOfTheirs = async (): Promise<ReadonlyArray<object>> => {
  const { theirs, send, pathOf } = stranger
  const answers: Array<object> = []
  for (const called of reading) {
    const says = completed(called, { path: pathOf(theirs, called) })
    answers.push({ name: called.name, ...plain(await send(called, says, theirs.key), []) })
  }
  return answers
}

beforeAll(async () => {
  stranger = await makeStranger(testing)
  before = await everythingOfTheirs()
}, 120_000)

/** A parameter that takes what a tenant named, or may be thought to. */
const isFree = ({ name, schema }: Parameter): boolean => {
  const items = (schema["items"] ?? schema) as Parameter["schema"]
  return items["enum"] === undefined && !["from", "to", "tz", "limit", "cursor", "on", "weeks"].includes(name)
}
const takesList = ({ schema }: Pick<Parameter, "schema">): boolean => schema["type"] === "array"

const BODIES: Readonly<Record<string, object>> = {
  "PUT /v1/targets": { metric: "cv_downloads", period: "week", scope: "everyone", value: 5 },
  "POST /v1/api-keys": { role: "member" },
  "PUT /v1/grants/{subject}": { rights: ["see_actions"] },
  "PUT /v1/settings": {},
  "POST /v1/exports": { report: "user_actions", format: "csv", ...RANGE },
}
const bodyOf = ({ name, bodies }: Operation) =>
  bodies.length === 0 ? {} : { body: JSON.stringify(BODIES[name] ?? {}) }

describe("of another tenant", () => {
  it.each(reading)("$name says nothing", async (called) => {
    const { keys, own, theirs, send, expectNothing, pathOf } = stranger
    for (const [role, key] of keys) {
      const says = completed(called, { path: pathOf(own, called) })
      expectNothing(await send(called, says, key), [], `${role} ${called.name}`)
    }
    // There is something to be seen: with their own key.
    const says = completed(called, { path: pathOf(theirs, called) })
    expect((await send(called, says, theirs.key)).status).toBe(200)
  })

  const filtered = reading.flatMap((called) =>
    called.parameters
      .filter((parameter) => parameter.in === "query" && isFree(parameter))
      .map((parameter) => ({ name: called.name, filter: parameter.name, called, parameter })),
  )
  it.each(filtered)("$name with $filter knows nobody", async ({ called, parameter }) => {
    const { keys, named, expectAlike } = stranger
    for (const [role, key] of keys.filter(([role]) => role !== "producer")) {
      const groups = takesList(parameter) ? [named] : named.map((value) => [value])
      for (const values of groups)
        await expectAlike(
          called,
          key,
          (value) => ({ query: values.map((one) => [parameter.name, value(one)] as const) }),
          values,
          `${role} ${called.name} ${parameter.name}`,
        )
    }
  })

  const inPath = secured.filter(({ parameters }) => parameters.some(({ in: place }) => place === "path"))
  it.each(inPath)("$name finds nothing", async (called) => {
    const { keys, named, ids, expectAlike } = stranger
    for (const [role, key] of keys)
      for (const id of role === "super_admin" ? named : ids)
        await expectAlike(
          called,
          key,
          (value) => ({ path: { id: value(id), subject: value(id) }, ...bodyOf(called) }),
          [id],
          `${role} ${called.name} ${id}`,
        )
  })

  const inBody = secured
    .filter(({ bodies }) => bodies.length === 1)
    .flatMap((called) =>
      Object.entries(called.fields)
        .filter(([, schema]) => schema["enum"] === undefined && schema["const"] === undefined)
        .map(([field, schema]) => ({ name: called.name, field, called, schema })),
    )
  it.each(inBody)("$name with $field gets nothing", async ({ called, field, schema }) => {
    const { own, named, send, expectAlike } = stranger
    const example = BODIES[called.name]
    expect(example, `an example of the body of ${called.name} belongs into this file`).toBeDefined()
    const isTarget = called.path === "/v1/targets" && /^(?:user|team)_id$/u.test(field)
    const over = isTarget ? { scope: field.replace("_id", "") } : {}
    const groups = takesList({ schema }) ? [named] : named.map((value) => [value])
    for (const values of groups)
      await expectAlike(
        called,
        own.key,
        (value) => {
          const given = values.map((one) => value(one))
          const said = takesList({ schema }) ? given : given[0]
          return {
            path: { subject: "role:manager" },
            body: JSON.stringify({ ...example, ...over, [field]: said }),
          }
        },
        values,
        `${called.name} ${field} ${values.join(" ")}`,
      )
    // A tenant may have so many exports under way and no more.
    const { data = [] } = JSON.parse((await send(operation("GET /v1/exports"), {}, own.key)).text)
    for (const { id } of data) await send(operation("DELETE /v1/exports/{id}"), { path: { id } }, own.key)
  })

  const withHeaders = secured.flatMap((called) =>
    called.parameters
      .filter((parameter) => parameter.in === "header")
      .map((parameter) => ({ name: called.name, header: parameter.name, called })),
  )
  it.each(withHeaders)("$name with $header answers nothing of it", async ({ called, header }) => {
    const { own, sentBefore, send, expectNothing, pathOf } = stranger
    for (const value of sentBefore) {
      const says = completed(called, {
        path: { ...pathOf(own, called), subject: "role:manager" },
        headers: { [header]: value },
        ...bodyOf(called),
      })
      expectNothing(await send(called, says, own.key), [value], `${called.name} ${header}`)
    }
  })

  const paged = reading.filter(({ parameters }) => parameters.some(({ name }) => name === "cursor"))
  const FIRST = [["limit", "1"]] as const
  const cursorOf = async (called: Operation): Promise<string | null> => {
    const { theirs, send } = stranger
    return JSON.parse((await send(called, completed(called, { query: FIRST }), theirs.key)).text).next_cursor
  }
  it.each(paged)("$name takes no cursor", async (called) => {
    const { keys, send, expectNothing } = stranger
    const cursor = await cursorOf(called)
    // A list of one row has none.
    if (cursor === null) return
    for (const [role, key] of keys.filter(([role]) => role !== "producer")) {
      const says = completed(called, { query: [...FIRST, ["cursor", cursor]] })
      const got = await send(called, says, key)
      expectNothing(got, [cursor], `${role} ${called.name}`)
      expect([400, 403], `${role} ${called.name} ${got.text}`).toContain(got.status)
    }
  })

  it("there are lists of more than one page, to take cursors of", async () => {
    const cursors = await Promise.all(paged.map(cursorOf))
    expect(cursors.filter((cursor) => cursor !== null).length).toBeGreaterThan(5)
  })

  it("no event is taken", async () => {
    const { keys, theirs, send } = stranger
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
    const had = await held()
    const event = (type: string, data: object) => ({
      specversion: "1.0",
      id: "e-1",
      source: "/test",
      type,
      time: new Date(Date.now() - 60_000).toISOString(),
      tenantid: theirs.tenant,
      data,
    })
    const login = event("user.logged_in", { actor_id: "u", actor_type: "member" })
    const team = event("team.upserted", { team_id: "t", name: "T" })
    const bodies = [
      ["POST /v1/events", login],
      ["POST /v1/events/batch", [login]],
      ["POST /v1/directory/batch", [team]],
    ] as const
    for (const [name, body] of bodies)
      for (const [role, key] of keys) {
        const { status, text } = await send(operation(name), { body: JSON.stringify(body) }, key)
        expect([422, 403], `${role} ${name} ${text}`).toContain(status)
      }
    expect(await held()).toEqual(had)
  })

  it("nothing has changed", async () => {
    expect(await everythingOfTheirs()).toEqual(before)
  })
})
