import { randomUUID } from "node:crypto"
import { gzipSync } from "node:zlib"
import { Effect } from "effect"
import { beforeAll, describe, expect, it } from "vitest"
import { attemptNats, Nats } from "#nats/connection.ts"
import { STREAMS } from "#schemas/names.ts"
import { ADMIN_KEY, expectProblem, newTenant, testApp } from "../test-app.ts"

const { call, keyFor, run } = testApp()
const tenant = newTenant()
let key: string

beforeAll(async () => {
  key = await keyFor(tenant, "producer")
})

const action = (overrides: Readonly<Record<string, unknown>> = {}) => ({
  specversion: "1.0",
  id: randomUUID(),
  source: "/ats/web",
  type: "note.logged",
  time: new Date().toISOString(),
  tenantid: tenant,
  data: { actor_id: "u_1", actor_type: "member", contact_id: "p_1" },
  ...overrides,
})

const team = (overrides: Readonly<Record<string, unknown>> = {}) =>
  action({ type: "team.upserted", data: { team_id: "t_1", name: "Team" }, ...overrides })

const JSON_TYPE = { "Content-Type": "application/json" }

const post = (
  path: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = JSON_TYPE,
  as = key,
) => call(path, as, { method: "POST", body, headers })

const one = (event: unknown) => post("/v1/events", JSON.stringify(event))
const batch = (events: ReadonlyArray<unknown>) => post("/v1/events/batch", JSON.stringify(events))

/** What the stream holds last under a subject. */
const lastOn = (stream: string, subject: string) =>
  run(
    Effect.gen(function* () {
      const { manager } = yield* Nats
      return yield* attemptNats("look", () => manager.streams.getMessage(stream, { last_by_subj: subject }))
    }),
  )

describe("one event", () => {
  it("is acknowledged when the stream holds its own bytes under its id", async () => {
    const event = action({ time: "2026-10-01T10:00:00.123456+05:45" })
    const text = ` ${JSON.stringify(event, undefined, 3)}\n`
    const got = await post("/v1/events", text)
    expect(got).toMatchObject({ status: 202, body: { id: event.id, duplicate: false } })
    const stored = await lastOn(STREAMS.actions, `actions.v1.${tenant}.note.logged`)
    expect(stored?.string()).toBe(text)
    expect(stored?.header.get("Nats-Msg-Id")).toBe(`${tenant}:${event.id}`)
  })

  it("is told apart when it is sent again", async () => {
    const event = action()
    expect((await one(event)).body).toEqual({ id: event.id, duplicate: false })
    expect((await one(event)).body).toEqual({ id: event.id, duplicate: true })
  })

  it("may come as CloudEvents say", async () => {
    const body = JSON.stringify(action())
    const type = { "Content-Type": "application/cloudevents+json; charset=utf-8" }
    expect((await post("/v1/events", body, type)).status).toBe(202)
  })

  it.each([
    ["invalid_event", action({ time: "yesterday" })],
    ["invalid_event", []],
    ["unknown_type", action({ type: "espresso.brewed" })],
    ["tenant_mismatch", action({ tenantid: "another" })],
    ["missing_reference", action({ type: "cv.downloaded" })],
    ["time_in_future", action({ time: new Date(Date.now() + 400_000).toISOString() })],
    ["too_old", action({ time: "2020-01-01T00:00:00Z" })],
    [
      "too_large",
      action({
        data: { actor_id: "u", actor_type: "member", contact_id: "p", properties: { x: "x".repeat(40_000) } },
      }),
    ],
  ])("is refused as %s", async (code, event) => {
    expectProblem(await one(event), code, 422)
  })

  it.each(["", "{", '{"a":1,"a":1}', "\u0000"])("is refused as invalid_json: %j", async (body) => {
    expectProblem(await post("/v1/events", body), "invalid_json", 422)
  })

  it("a few minutes ahead of the clock is taken", async () => {
    expect((await one(action({ time: new Date(Date.now() + 200_000).toISOString() }))).status).toBe(202)
  })

  it("of no media type that is known is refused", async () => {
    for (const type of ["text/plain", "application/x-ndjson", "application/jsonx"]) {
      const got = await post("/v1/events", JSON.stringify(action()), { "Content-Type": type })
      expectProblem(got, "unsupported_media_type", 415)
      expect(got.headers.get("Accept")).toContain("application/json")
    }
  })

  it("beyond what the stream takes is not read to its end", async () => {
    const got = await post("/v1/events", "x".repeat(256 * 1024 + 1))
    expectProblem(got, "body_too_large", 413)
    expect(got.body.detail).toContain("262144")
  })
})

describe("a batch", () => {
  it("keeps each event's own bytes", async () => {
    const event = team({ time: "2026-10-01T10:00:00.5Z" })
    const text = JSON.stringify(event, undefined, 2)
    const got = await post(
      "/v1/directory/batch",
      `[ ${text} , ${JSON.stringify(team({ type: "user.erased", data: { user_id: "u_9" } }))}]`,
    )
    expect(got).toMatchObject({ status: 202, body: { accepted: 2, duplicates: 0, rejected: [] } })
    const stored = await lastOn(STREAMS.directory, `directory.v1.${tenant}.team.upserted`)
    expect(stored?.string()).toBe(text)
  })

  it("takes the good, and says of each of the others why not", async () => {
    const good = action()
    const bad = action({ time: "yesterday" })
    const got = await batch([good, bad, 7, good, action({ tenantid: "another" })])
    expect(got.status).toBe(202)
    expect(got.body).toMatchObject({ accepted: 1, duplicates: 1 })
    expect(got.body.rejected).toEqual([
      { index: 1, id: bad.id, code: "invalid_event", detail: expect.stringContaining("time") },
      { index: 2, id: null, code: "invalid_event", detail: expect.any(String) },
      { index: 4, id: expect.any(String), code: "tenant_mismatch", detail: expect.any(String) },
    ])
  })

  it("may be lines", async () => {
    const events = [action(), action(), action()]
    const lines = events.map((event) => JSON.stringify(event)).join("\n\n")
    const got = await post("/v1/events/batch", `${lines}\r\nnonsense\n`, {
      "Content-Type": "application/x-ndjson",
    })
    expect(got.body).toMatchObject({
      accepted: 3,
      duplicates: 0,
      rejected: [{ index: 3, id: null, code: "invalid_json" }],
    })
  })

  it("may be compressed, as an array and as lines", async () => {
    const gzip = { "Content-Encoding": "gzip" }
    const array = gzipSync(JSON.stringify([action(), action()]))
    expect((await post("/v1/events/batch", array, { ...JSON_TYPE, ...gzip })).body.accepted).toBe(2)
    const lines = gzipSync(`${JSON.stringify(action())}\n`)
    expect(
      (await post("/v1/events/batch", lines, { "Content-Type": "application/x-ndjson", ...gzip })).body
        .accepted,
    ).toBe(1)
  })

  it("may have a thousand events and no more", async () => {
    const events = Array.from({ length: 1000 }, () => action())
    expect((await batch(events)).body).toMatchObject({ accepted: 1000, rejected: [] })
    const got = await batch([...events, action()])
    expectProblem(got, "body_too_large", 413)
    expect(got.body.detail).toContain("1000")
  })

  it("of none that is valid is a problem that names each", async () => {
    const got = await batch([action({ type: "x.y" }), 1])
    expectProblem(got, "no_valid_event", 422)
    expect(got.body.rejected.map(({ code }: { code: string }) => code)).toEqual([
      "unknown_type",
      "invalid_event",
    ])
    expectProblem(await batch([]), "no_valid_event", 422)
  })

  it.each(["{}", "[", '[{"a":1},]', "[] []", ""])("that is no array is malformed: %j", async (body) => {
    expectProblem(await post("/v1/events/batch", body), "malformed_body", 400)
  })

  it("that inflates beyond the limit is refused while it inflates", async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, "["))
    expect(bomb.length).toBeLessThan(100_000)
    const got = await post("/v1/events/batch", bomb, { ...JSON_TYPE, "Content-Encoding": "gzip" })
    expectProblem(got, "body_too_large", 413)
    expect(got.body.detail).toContain("4194304")
  })

  it("beyond the limit is refused, with and without a length", async () => {
    const body = " ".repeat(4 * 1024 * 1024 + 1)
    expectProblem(await post("/v1/events/batch", body), "body_too_large", 413)
    const stream = new Blob([body]).stream()
    const got = await call("/v1/events/batch", key, {
      method: "POST",
      body: stream,
      headers: JSON_TYPE,
      duplex: "half",
    } as RequestInit)
    expectProblem(got, "body_too_large", 413)
  })

  it("that is cut off or no gzip at all is malformed", async () => {
    const gzip = { ...JSON_TYPE, "Content-Encoding": "gzip" }
    const whole = gzipSync(JSON.stringify([action()]))
    for (const body of [whole.subarray(0, whole.length - 9), Buffer.from("[]"), Buffer.alloc(0)])
      expectProblem(await post("/v1/events/batch", Buffer.from(body), gzip), "malformed_body", 400)
  })

  it.each(["text/plain", "constructor", "__proto__", "toString"])(
    "of the type %s is refused",
    async (type) => {
      for (const path of ["/v1/events/batch", "/v1/directory/batch"])
        expectProblem(await post(path, "[]", { "Content-Type": type }), "unsupported_media_type", 415)
    },
  )

  it("in an encoding that is not known is refused", async () => {
    const got = await post("/v1/events/batch", "[]", { ...JSON_TYPE, "Content-Encoding": "br" })
    expectProblem(got, "unsupported_media_type", 415)
    expect(got.headers.get("Accept-Encoding")).toBe("gzip")
  })
})

describe("who may send", () => {
  it("producers and super admins, for their own tenant", async () => {
    const admin = await keyFor(tenant)
    for (const as of [key, admin]) {
      expect((await post("/v1/events", JSON.stringify(action()), JSON_TYPE, as)).status).toBe(202)
      expect((await post("/v1/directory/batch", JSON.stringify([team()]), JSON_TYPE, as)).status).toBe(202)
    }
  })

  it("the operator, for any tenant", async () => {
    const other = newTenant()
    const events = [team({ tenantid: other }), team()]
    const got = await post("/v1/directory/batch", JSON.stringify(events), JSON_TYPE, ADMIN_KEY)
    expect(got.body).toMatchObject({ accepted: 2 })
    expect(await lastOn(STREAMS.directory, `directory.v1.${other}.team.upserted`)).not.toBeNull()
  })

  it("nobody else", async () => {
    for (const role of ["manager", "member", "recruiter"] as const) {
      const as = await keyFor(tenant, role)
      for (const path of ["/v1/events", "/v1/events/batch", "/v1/directory/batch"])
        expectProblem(await post(path, "[]", JSON_TYPE, as), "forbidden", 403)
    }
  })

  it("an action is no directory event, nor the other way round", async () => {
    expectProblem(await post("/v1/directory/batch", JSON.stringify([action()])), "no_valid_event", 422)
    expectProblem(await one(team()), "unknown_type", 422)
  })
})
