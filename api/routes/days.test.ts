import { beforeAll, describe, expect, it } from "vitest"
import { newTenant, testApp } from "../test-app.ts"
import { type Action, putActions, putDaily, putQuarter, putTenant, putUsers } from "../test-rows.ts"

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

describe("days", () => {
  // Events at every quarter hour around the nights when clocks change, a millisecond before and at each.
  const zones = [
    "Europe/London",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "America/Santiago",
    "Africa/Casablanca",
  ]
  const windows = [
    "2026-10-24T12:00:00.000Z",
    "2026-10-03T12:00:00.000Z",
    "2026-09-05T22:00:00.000Z",
    "2026-10-31T22:00:00.000Z",
  ]
  const QUARTER = 900_000
  const times = windows.flatMap((from) =>
    Array.from({ length: 96 }, (_, index) => Date.parse(from) + index * QUARTER).flatMap((at) => [
      at - 1,
      at,
    ]),
  )
  const tenants = new Map(zones.slice(0, 3).map((zone) => [zone, newTenant()]))
  const keys = new Map<string, string>()

  beforeAll(async () => {
    for (const [zone, tenant] of tenants) {
      keys.set(zone, await keyFor(tenant))
      await putTenant(tenant, zone)
      await putUsers(tenant, { u_1: {} })
      await putActions(
        tenant,
        zone,
        times.map((time) => note("u_1", new Date(time).toISOString())),
      )
    }
  })

  const byDay = (zone: string): Readonly<Record<string, number>> => {
    const calendar = new Intl.DateTimeFormat("en-CA", { timeZone: zone, dateStyle: "short" })
    const days = new Map<string, number>()
    for (const time of times) days.set(calendar.format(time), (days.get(calendar.format(time)) ?? 0) + 1)
    return Object.fromEntries(days)
  }

  describe.each([...tenants.keys()])("of a tenant in %s", (own) => {
    it.each(zones)("as seen in %s", async (zone) => {
      const key = keys.get(own) ?? ""
      const expected = byDay(zone)
      const { data } = await seriesOf(key, `from=2026-09-01&to=2026-11-05&metric=notes_logged&tz=${zone}`)
      const seen = data.flatMap((row: { date: string; notes_logged: number }) =>
        row.notes_logged === 0 ? [] : [[row.date, row.notes_logged]],
      )
      expect(Object.fromEntries(seen)).toEqual(expected)
      for (const day of ["2026-10-04", "2026-10-25", "2026-09-06"]) {
        const { data: numbers } = await summaryOf(key, `from=${day}&to=${day}&tz=${zone}`)
        expect([day, numbers.notes_logged.value]).toEqual([day, expected[day] ?? 0])
      }
      const { data: users } = await usersOf(key, `from=2026-09-01&to=2026-11-05&tz=${zone}`)
      expect(users[0]).toMatchObject({ active_days: Object.keys(expected).length })
    })
  })
})

describe("the fast rollup", () => {
  it("answers only while it carries the tenant's present zone alone", async () => {
    const tenant = newTenant()
    const key = await keyFor(tenant)
    const time = "2026-10-10T18:30:00.000Z"
    await putUsers(tenant, { u_1: {} })
    // Stamped while the tenant was not known: UTC.
    await putActions(tenant, "UTC", [note("u_1", time)])
    const dateOf = async () => {
      const { data } = await seriesOf(key, "from=2026-10-09&to=2026-10-12")
      return data
        .filter((row: { active_users: number }) => row.active_users > 0)
        .map((row: { date: string }) => row.date)
    }
    expect(await dateOf()).toEqual(["2026-10-10"])
    await putTenant(tenant, "Asia/Kathmandu")
    expect(await dateOf()).toEqual(["2026-10-11"])
    await putActions(tenant, "Asia/Kathmandu", [note("u_1", "2026-10-11T20:00:00.000Z")])
    expect(await dateOf()).toEqual(["2026-10-11", "2026-10-12"])
  })

  it("is corrected by signed sums, and what sums to nothing was never there", async () => {
    const tenant = newTenant()
    const key = await keyFor(tenant)
    await putTenant(tenant, "UTC")
    await putUsers(tenant, { u_1: {}, u_2: {} })
    await putActions(tenant, "UTC", [note("u_1", "2026-10-10T10:00:00.000Z")])
    const wrong = { user_id: "u_2", action: "note.logged", last_at: "2026-10-20T10:00:00.000Z" }
    for (const sign of [1, -1]) {
      const sums = { events: sign, quantity: 7 * sign }
      await putDaily(tenant, { zone: "UTC", day: "2026-10-20", ...wrong, ...sums })
      await putQuarter(tenant, { quarter: "2026-10-20T10:00:00Z", ...wrong, ...sums })
    }
    for (const zone of ["UTC", "Asia/Kathmandu"]) {
      const query = `from=2026-10-01&to=2026-10-31&tz=${zone}`
      const { data } = await summaryOf(key, query)
      expect(data).toMatchObject({ active_users: { value: 1 }, notes_logged: { value: 1 } })
      const { data: users } = await usersOf(key, query)
      expect(users).toHaveLength(1)
      const { data: days } = await seriesOf(key, query)
      expect(days[19]).toEqual({ date: "2026-10-20", active_users: 0 })
    }
  })
})

describe("a series", () => {
  const tenant = newTenant()
  let key: string

  beforeAll(async () => {
    key = await keyFor(tenant)
    await putTenant(tenant, "UTC")
    await putUsers(tenant, { u_1: {}, u_2: {} })
    await putActions(tenant, "UTC", [
      note("u_1", "2026-10-01T10:00:00.000Z"),
      note("u_1", "2026-10-04T10:00:00.000Z"),
      note("u_2", "2026-10-05T10:00:00.000Z"),
      note("u_1", "2026-11-02T10:00:00.000Z", { quantity: 5 }),
    ])
  })

  it("of weeks begins on Mondays and is clipped to the range", async () => {
    const { data } = await seriesOf(
      key,
      "from=2026-09-30&to=2026-10-13&interval=week&metric=active_users&metric=notes_logged",
    )
    expect(data).toEqual([
      { date: "2026-09-30", active_users: 1, notes_logged: 2 },
      { date: "2026-10-05", active_users: 1, notes_logged: 1 },
      { date: "2026-10-12", active_users: 0, notes_logged: 0 },
    ])
  })

  it.each(["UTC", "Asia/Kathmandu"])("of months is clipped to the range, in %s", async (zone) => {
    const { data } = await seriesOf(
      key,
      `from=2026-09-15&to=2026-11-10&interval=month&metric=notes_logged&metric=active_users&tz=${zone}`,
    )
    expect(data).toEqual([
      { date: "2026-09-15", notes_logged: 0, active_users: 0 },
      { date: "2026-10-01", notes_logged: 3, active_users: 2 },
      { date: "2026-11-01", notes_logged: 5, active_users: 1 },
    ])
  })

  it("is of active users by day when nothing else is asked", async () => {
    const { data } = await seriesOf(key, "from=2026-10-04&to=2026-10-05")
    expect(data).toEqual([
      { date: "2026-10-04", active_users: 1 },
      { date: "2026-10-05", active_users: 1 },
    ])
  })
})
