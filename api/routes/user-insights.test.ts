import { beforeAll, describe, expect, it } from "vitest"
import { METRICS } from "#schemas/catalogue.ts"
import { newTenant, testApp } from "../test-app.ts"
import {
  type Action,
  eraseUsers,
  putActions,
  putLicenses,
  putTeams,
  putTenant,
  putUsers,
} from "../test-rows.ts"

const { call, keyFor } = testApp()

const reader = (report: string) => async (key: string, query: string) => {
  const { status, body } = await call(`/v1/reports/user-insights/${report}?${query}`, key)
  expect(status, JSON.stringify(body)).toBe(200)
  return body
}
const summaryOf = reader("summary")
const usersOf = reader("users")
const seriesOf = reader("timeseries")

let n = 0
const note = (actor_id: string, time: string, more: Partial<Action> = {}): Action => ({
  id: `n-${n++}`,
  type: "note.logged",
  time,
  actor_id,
  ...more,
})

describe("the population", () => {
  const tenant = newTenant()
  const OCTOBER = "from=2026-10-01&to=2026-10-31"
  let key: string

  beforeAll(async () => {
    key = await keyFor(tenant)
    await putTenant(tenant, "Europe/London")
    await putTeams(tenant, { t_1: { name: "One" }, t_2: { name: "Two" } })
    await putUsers(tenant, {
      u_1: { name: "Ana", email: "Ana@Example.org", team_ids: ["t_1"] },
      u_2: { name: "Bo", team_ids: ["t_1", "t_2"] },
      u_3: { name: "Chloé", team_ids: ["t_gone"] },
      u_4: { name: "Idle" },
      c_1: { kind: "client" },
    })
    // An older version, which arrives later and changes nothing.
    await putUsers(tenant, { u_1: { name: "Old", version: "2025-01-01T00:00:00.000Z", team_ids: ["t_2"] } })
    // One who was erased, and two of whom nothing but their erasure was ever told.
    await putUsers(tenant, { u_5: { team_ids: ["t_9"] } })
    await eraseUsers(tenant, ["u_5", "u_6", "u_7"])
    await putLicenses(tenant, [
      { user_id: "u_1", verb: "assigned", time: "2026-01-01T00:00:00.000Z" },
      { user_id: "u_4", verb: "assigned", time: "2026-01-01T00:00:00.000Z" },
      { user_id: "u_5", verb: "assigned", time: "2026-01-01T00:00:00.000Z" },
    ])
    await putActions(tenant, "Europe/London", [
      note("u_1", "2026-10-05T10:00:00.000Z", { quantity: 3 }),
      note("u_1", "2026-10-05T11:00:00.000Z"),
      note("u_1", "2026-10-06T11:00:00.001Z"),
      note("u_2", "2026-10-07T10:00:00.000Z", { automated: true }),
      note("u_2", "2026-10-07T10:00:00.000Z", { impersonator_id: "u_1" }),
      note("u_2", "2026-10-07T10:00:00.000Z", { actor_type: "client" }),
      note("u_2", "2026-10-07T10:00:00.000Z", { type: "user.logged_in" }),
      note("u_3", "2026-10-31T23:59:59.999Z"),
      note("u_3", "2026-11-01T00:00:00.000Z"),
      note("u_5", "2026-10-08T10:00:00.000Z"),
      note("u_7", "2026-10-09T10:00:00.000Z"),
      note("c_1", "2026-10-08T10:00:00.000Z"),
      note("ghost_1", "2026-10-08T10:00:00.000Z"),
      note("ghost_1", "2026-10-09T10:00:00.000Z"),
      note("ghost_2", "2026-10-08T10:00:00.000Z", { type: "user.logged_in" }),
      note("ghost_3", "2026-11-08T10:00:00.000Z"),
    ])
  })

  it("is the directory's members, and nobody else is in a number", async () => {
    const { data, meta } = await summaryOf(key, OCTOBER)
    expect(data).toMatchObject({
      total_licenses: { value: 3 },
      active_users: { value: 4 },
      active_licenses: { value: 2 },
      active_without_license: { value: 2 },
      activity_ratio: { value: 2 / 3 },
      notes_logged: { value: 8 },
      logins: { value: 1 },
      placements: { value: 0 },
    })
    expect(Object.keys(data)).toEqual(expect.arrayContaining([...METRICS]))
    expect(meta).toMatchObject({
      time_zone: "Europe/London",
      unknown_actors: 2,
      from: "2026-10-01",
      to: "2026-10-31",
    })
  })

  it("has a row for each who was licensed or did anything", async () => {
    const { data, next_cursor, meta } = await usersOf(key, OCTOBER)
    expect(data.map((row: { user_id: string }) => row.user_id)).toEqual([
      "u_1",
      "u_2",
      "u_3",
      "u_4",
      "u_5",
      "u_7",
    ])
    expect(next_cursor).toBeNull()
    expect(meta.unknown_actors).toBe(2)
    expect(data[0]).toMatchObject({
      name: "Ana",
      email: "Ana@Example.org",
      teams: [{ team_id: "t_1", name: "One" }],
      license_status: "live",
      is_active: true,
      active_days: 2,
      last_tracked_activity_at: "2026-10-06T11:00:00.001Z",
      last_activity_ever_at: "2026-10-06T11:00:00.001Z",
    })
    expect(data[0].metrics).toEqual({
      ...Object.fromEntries(METRICS.map((metric) => [metric, 0])),
      notes_logged: 5,
    })
    expect(data[1]).toMatchObject({
      license_status: "none",
      is_active: false,
      active_days: 0,
      last_tracked_activity_at: null,
      last_activity_ever_at: null,
      metrics: { logins: 1, notes_logged: 0 },
    })
    expect(data[2]).toMatchObject({
      teams: [{ team_id: "t_gone", name: null }],
      last_tracked_activity_at: "2026-10-31T23:59:59.999Z",
      last_activity_ever_at: "2026-11-01T00:00:00.000Z",
    })
    expect(data[3]).toMatchObject({ user_id: "u_4", license_status: "live", is_active: false })
    for (const erased of data.slice(4))
      expect(erased).toMatchObject({ name: null, email: null, metrics: { notes_logged: 1 } })
  })

  it("is narrowed by an or within a list and an and between lists", async () => {
    const ids = async (query: string) =>
      (await usersOf(key, `${OCTOBER}&${query}`)).data.map((row: { user_id: string }) => row.user_id)
    expect(await ids("team_id=t_1")).toEqual(["u_1", "u_2"])
    expect(await ids("team_id=t_2&team_id=t_gone")).toEqual(["u_2", "u_3"])
    expect(await ids("user_email=ana@example.ORG&user_email=u_3@example.org")).toEqual(["u_1", "u_3"])
    expect(await ids("user_id=u_1&user_id=u_4&user_id=nobody")).toEqual(["u_1", "u_4"])
    expect(await ids("team_id=t_1&user_id=u_2&user_id=u_3")).toEqual(["u_2"])
    expect(await ids("team_id=t_9")).toEqual(["u_5"])
    expect(await ids("user_email=u_5@example.org")).toEqual([])
    expect(await ids("team_id=nobody")).toEqual([])
    const { data } = await summaryOf(key, `${OCTOBER}&team_id=t_1`)
    expect(data).toMatchObject({
      total_licenses: { value: 1 },
      active_users: { value: 1 },
      notes_logged: { value: 5 },
    })
    expect((await summaryOf(key, `${OCTOBER}&team_id=nobody`)).data.activity_ratio).toEqual({ value: null })
  })

  it("narrowed to users leaves other unknown actors out", async () => {
    const { meta } = await summaryOf(key, `${OCTOBER}&user_id=ghost_1&user_id=u_1`)
    expect(meta.unknown_actors).toBe(1)
    expect((await usersOf(key, `${OCTOBER}&user_id=ghost_1`)).meta.unknown_actors).toBe(1)
    expect((await seriesOf(key, `${OCTOBER}&user_id=ghost_2`)).meta.unknown_actors).toBe(1)
  })

  it("is the same in the series", async () => {
    const { data, meta } = await seriesOf(
      key,
      `${OCTOBER}&metric=active_users&metric=notes_logged&metric=logins`,
    )
    expect(data).toHaveLength(31)
    const days = new Map(data.map((row: { date: string }) => [row.date, row]))
    expect(days.get("2026-10-01")).toEqual({
      date: "2026-10-01",
      active_users: 0,
      notes_logged: 0,
      logins: 0,
    })
    expect(days.get("2026-10-05")).toEqual({
      date: "2026-10-05",
      active_users: 1,
      notes_logged: 4,
      logins: 0,
    })
    expect(days.get("2026-10-07")).toEqual({
      date: "2026-10-07",
      active_users: 0,
      notes_logged: 0,
      logins: 1,
    })
    expect(days.get("2026-10-08")).toEqual({
      date: "2026-10-08",
      active_users: 1,
      notes_logged: 1,
      logins: 0,
    })
    expect(meta.unknown_actors).toBe(2)
  })

  it("is another tenant's nowhere", async () => {
    const other = newTenant()
    const { data } = await summaryOf(await keyFor(other), OCTOBER)
    expect(data).toMatchObject({
      active_users: { value: 0 },
      total_licenses: { value: 0 },
      notes_logged: { value: 0 },
    })
    expect((await usersOf(await keyFor(other), OCTOBER)).data).toEqual([])
  })
})
