import { Effect } from "effect"
import { beforeAll, describe, expect, it } from "vitest"
import { attemptNats, Nats } from "#nats/connection.ts"
import { decodeDirectory } from "#schemas/decode.ts"
import { messageId, STREAMS } from "#schemas/names.ts"
import { createKey } from "../auth/keys.ts"
import { expectProblem, newTenant, testApp } from "../test-app.ts"
import {
  type Action,
  putActions,
  putDaily,
  putLicenses,
  putTargets,
  putTeams,
  putTenant,
  putUsers,
} from "../test-rows.ts"

const { call, keyFor, run } = testApp()
const REPORT = "/v1/reports/targets"

let n = 0
const note = (actor_id: string, time: string, quantity = 1): Action => ({
  id: `n-${n++}`,
  type: "note.logged",
  time,
  actor_id,
  quantity,
})

const licensed = (tenant: string, ids: ReadonlyArray<string>) =>
  putLicenses(
    tenant,
    ids.map((user_id) => ({ user_id, verb: "assigned", time: "2026-01-01T00:00:00.000Z" })),
  )

const rowsOf = async (key: string, query: string) => {
  const { status, body } = await call(`${REPORT}?${query}`, key)
  expect(status, JSON.stringify(body)).toBe(200)
  return body.data
}

const NOTES = { metric: "notes_logged", period: "week", holds_from: "2026-01-01" } as const

describe("progress", () => {
  const tenant = newTenant()
  let key: string

  beforeAll(async () => {
    key = await keyFor(tenant)
    await putTenant(tenant, "America/New_York")
    await putTeams(tenant, { t_1: { name: "One" }, t_2: { name: "Two" } })
    await putUsers(tenant, {
      u_1: { team_ids: ["t_1"] },
      u_2: { team_ids: ["t_2", "t_1"] },
      u_3: { team_ids: [] },
      u_4: { team_ids: ["t_1"] },
    })
    await licensed(tenant, ["u_1", "u_2", "u_3"])
    await putTargets(tenant, [
      { ...NOTES, scope: "everyone", value: 7 },
      { ...NOTES, scope: "team_members", scope_id: "t_1", value: 14 },
      { ...NOTES, scope: "team_members", scope_id: "t_2", value: 10 },
      { ...NOTES, scope: "user", scope_id: "u_1", value: 3 },
      { ...NOTES, scope: "user", scope_id: "u_1", value: null, holds_from: "2026-10-08" },
      { ...NOTES, scope: "team", scope_id: "t_1", value: 30 },
      // Set, and taken back for the same day.
      { ...NOTES, scope: "user", scope_id: "u_3", value: 50, set_at: "2026-02-01T00:00:00.000Z" },
      { ...NOTES, scope: "user", scope_id: "u_3", value: null, set_at: "2026-02-02T00:00:00.000Z" },
    ])
    await putActions(tenant, "America/New_York", [
      // Monday, 5 October in New York; in UTC it is Tuesday.
      note("u_1", "2026-10-06T03:30:00.000Z", 2),
      note("u_1", "2026-10-07T12:00:00.000Z"),
      // Sunday there, Monday in UTC.
      note("u_2", "2026-10-12T03:59:59.999Z", 20),
      note("u_2", "2026-10-12T04:00:00.000Z", 5),
    ])
  })

  it("is by the own target, then the greatest of the teams', then everyone's", async () => {
    const rows = await rowsOf(key, "from=2026-10-05&to=2026-10-11")
    const row = { subject: "user", metric: "notes_logged", period: "week", period_start: "2026-10-05" }
    const days = { from: "2026-10-05", to: "2026-10-11", days: 7, days_passed: 7 }
    const common = { ...row, ...days }
    expect(rows).toEqual([
      {
        ...common,
        id: "u_1",
        name: "Name of u_1",
        value: 3,
        scope: "user",
        scope_id: "u_1",
        target: 3,
        due: 3,
        actual: 3,
        difference: 0,
        on_track: true,
        reached: true,
      },
      {
        ...common,
        id: "u_2",
        name: "Name of u_2",
        value: 14,
        scope: "team_members",
        scope_id: "t_1",
        target: 14,
        due: 14,
        actual: 20,
        difference: 6,
        on_track: true,
        reached: true,
      },
      {
        ...common,
        id: "u_3",
        name: "Name of u_3",
        value: 7,
        scope: "everyone",
        scope_id: null,
        target: 7,
        due: 7,
        actual: 0,
        difference: -7,
        on_track: false,
        reached: false,
      },
    ])
  })

  it("of a week that changed its target in the middle is by that of its first day", async () => {
    const rows = await rowsOf(key, "from=2026-10-01&to=2026-10-14&user_id=u_1")
    expect(
      rows.map((row: { from: string; to: string; value: number; target: number; actual: number }) => [
        row.from,
        row.to,
        row.value,
        row.target,
        row.actual,
      ]),
    ).toEqual([
      ["2026-10-01", "2026-10-04", 3, 1.71, 0],
      ["2026-10-05", "2026-10-11", 3, 3, 3],
      // The own target ended on the 8th: from the next Monday the team's applies.
      ["2026-10-12", "2026-10-14", 14, 6, 0],
    ])
  })

  it("counts the days of the zone that is asked for", async () => {
    const rows = await rowsOf(key, "from=2026-10-05&to=2026-10-11&user_id=u_2&tz=UTC")
    expect(rows).toMatchObject([{ actual: 0 }])
  })

  it("knows nothing of what was corrected away", async () => {
    const corrected = newTenant()
    const asker = await keyFor(corrected)
    await putTenant(corrected, "UTC")
    await putUsers(corrected, { u_1: {}, u_2: {} })
    await putTargets(corrected, [{ ...NOTES, metric: "active_days", scope: "everyone", value: 1 }])
    await putActions(corrected, "UTC", [
      note("u_1", "2026-10-05T12:00:00.000Z"),
      note("u_1", "2026-10-06T12:00:00.000Z"),
      note("u_2", "2026-10-06T12:00:00.000Z"),
    ])
    const gone = { zone: "UTC", day: "2026-10-06", action: "note.logged", events: -1, quantity: -1 }
    for (const user_id of ["u_1", "u_2"])
      await putDaily(corrected, { ...gone, user_id, last_at: "2026-10-06T12:00:00.000Z" })
    const rows = await rowsOf(asker, "from=2026-10-05&to=2026-10-11")
    expect(rows).toMatchObject([{ id: "u_1", actual: 1, reached: true }])
    expect(rows).toHaveLength(1)
  })

  it("is by what was set meanwhile the next time that it is asked for", async () => {
    const changing = newTenant()
    const asker = await keyFor(changing)
    await putTenant(changing, "UTC")
    await putUsers(changing, { u_1: { team_ids: [] } })
    await putActions(changing, "UTC", [note("u_1", "2026-10-05T12:00:00.000Z")])
    const week = () => rowsOf(asker, "from=2026-10-05&to=2026-10-11")
    expect(await week()).toEqual([])
    await putTargets(changing, [{ ...NOTES, scope: "everyone", value: 2 }])
    expect(await week()).toMatchObject([{ value: 2, actual: 1 }])
    await putActions(changing, "UTC", [note("u_1", "2026-10-11T12:00:00.000Z")])
    expect(await week()).toMatchObject([{ value: 2, actual: 2 }])
    await putTargets(changing, [
      { ...NOTES, scope: "everyone", value: 3, set_at: "2026-02-01T00:00:00.000Z" },
      { ...NOTES, scope: "team_members", scope_id: "t_1", value: 4 },
    ])
    expect(await week()).toMatchObject([{ value: 3 }])
    await putUsers(changing, { u_1: { team_ids: ["t_1"], version: "2026-03-01T00:00:00.000Z" } })
    expect(await week()).toMatchObject([{ value: 4, actual: 2 }])
  })

  it("of a team is the sum over its members", async () => {
    const rows = await rowsOf(key, "from=2026-10-05&to=2026-10-11&subject=team")
    expect(rows).toMatchObject([
      { id: "t_1", name: "One", value: 30, scope: "team", actual: 23, reached: false },
    ])
    expectProblem(
      await call(`${REPORT}?from=2026-10-05&to=2026-10-11&subject=team&user_id=u_1`, key),
      "invalid_parameter",
      400,
    )
  })
})

describe("setting a target", () => {
  const tenant = newTenant()
  const put = (key: string, target: object) =>
    call("/v1/targets", key, {
      method: "PUT",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(target),
    })
  let key: string

  beforeAll(async () => {
    key = await run(createKey({ tenant, role: "super_admin", user: "boss" }))
    await putTenant(tenant, "UTC")
    await putUsers(tenant, { u_1: {}, c_1: { kind: "client" } })
    await putTeams(tenant, { t_1: { name: "One" } })
  })

  it("publishes what the directory's consumer takes, under the setter's name", async () => {
    const target = { metric: "active_days", period: "month", scope: "user", user_id: "u_1", value: 12 }
    const { status, body } = await put(key, target)
    expect({ status, body }).toEqual({
      status: 202,
      body: {
        ...target,
        id: expect.any(String),
        holds_from: `${new Date().toISOString().slice(0, 7)}-01`,
        set_at: expect.any(String),
        set_by: "boss",
      },
    })
    const message = await run(
      Effect.gen(function* () {
        const { manager } = yield* Nats
        return yield* attemptNats("get", () =>
          manager.streams.getMessage(STREAMS.directory, {
            last_by_subj: `directory.v1.${tenant}.target.set`,
          }),
        )
      }),
    )
    const decoded = decodeDirectory(
      {
        payload: message?.data ?? new Uint8Array(),
        tenant,
        type: "target.set",
        messageId: message?.header.get("Nats-Msg-Id"),
        checkRoute: true,
        receivedAt: Date.now(),
      },
      { maxClockAhead: 1000 },
    )
    expect(decoded).toMatchObject({ ok: true, event: { id: body.id, time: body.set_at } })
    expect(message?.header.get("Nats-Msg-Id")).toBe(messageId(tenant, body.id))
  })

  it("is refused for whom the directory does not know", async () => {
    const target = { ...NOTES, value: 1 }
    for (const whom of [
      { scope: "user", user_id: "u_9" },
      { scope: "user", user_id: "c_1" },
      { scope: "team", team_id: "t_9" },
      { scope: "team_members", team_id: "u_1" },
      { scope: "everyone", user_id: "u_1" },
    ])
      expectProblem(await put(key, { ...target, ...whom }), "invalid_body", 400)
    expect((await put(key, { ...target, scope: "team", team_id: "t_1", value: null })).status).toBe(202)
  })

  it("is a super admin's right", async () => {
    for (const role of ["manager", "member", "recruiter", "producer"] as const)
      expectProblem(
        await put(await keyFor(tenant, role), { ...NOTES, scope: "everyone", value: 1 }),
        "forbidden",
        403,
      )
  })

  it("is later than the one before, even in one millisecond", async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, value) => put(key, { ...NOTES, scope: "everyone", value })),
    )
    expect(new Set(answers.map(({ body }) => body.set_at)).size).toBe(20)
  })
})
