// Cohorts of tenants made by chance, beside what counting one by one gives.
import { describe, expect, it } from "vitest"
import { testApp } from "../test-app.ts"
import { dayIn, placedWorld, plusDays, type Span } from "../test-world.ts"

const { call, keyFor } = testApp()
const NOW = Date.now()
const DAY = 86_400_000

const isMonday = (day: string): boolean => new Date(`${day}T00:00:00Z`).getUTCDay() === 1
const daysBetween = (one: string, other: string): number => (Date.parse(other) - Date.parse(one)) / DAY

const medianOf = (values: ReadonlyArray<number>): number | null => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  const [low, high] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]]
  return low === undefined || high === undefined ? null : (low + high) / 2
}

const share = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole)

describe.each([
  [31, "UTC"],
  [32, "Asia/Kathmandu"],
  [33, "America/New_York"],
])("of seed %i in %s", (seed, own) => {
  const place = placedWorld(keyFor, seed, own, NOW)
  const { world } = place

  describe.each([own, "Australia/Lord_Howe"])("as seen in %s", (zone) => {
    it.each([
      [-80, -20, 12],
      [-33, 3, 2],
      [-50, -43, 1],
    ])("first licences from day %i to %i, %i weeks long", async (first, last, weeks) => {
      const today = dayIn(zone, NOW)
      const [from, to] = [plusDays(today, first), plusDays(today, last)]
      const query = `from=${from}&to=${to}&tz=${zone}&weeks=${weeks}`
      const { status, body } = await call(`/v1/reports/adoption?${query}`, place.key)
      expect(status, JSON.stringify(body)).toBe(200)

      const always: Span = { from: "2000-01-01", to: "2100-01-01", zone }
      const members = world.members(always, NOW).flatMap((member) => {
        const times = world.licenses
          .filter(({ user_id, verb, time }) => {
            const isLive = verb === "assigned" || verb === "enabled"
            return user_id === member.user_id && isLive && Date.parse(time) <= NOW
          })
          .map(({ time }) => Date.parse(time))
        if (times.length === 0) return []
        const assigned = dayIn(zone, Math.min(...times))
        const active = [...member.active_on].map((day) => daysBetween(assigned, day)).filter((n) => n >= 0)
        const lastDay = Math.min(daysBetween(assigned, today), daysBetween(assigned, to) + 7 * weeks)
        const looked = active.filter((n) => n < 7 * weeks && n <= lastDay)
        return [{ assigned, looked, age: daysBetween(assigned, today) }]
      })
      const cohorts: Array<string> = []
      for (let day = from; day <= to; day = plusDays(day, 1))
        if (day === from || isMonday(day)) cohorts.push(day)
      const expected = cohorts.map((cohort, index) => {
        const next = cohorts[index + 1] ?? plusDays(to, 1)
        const users = members.filter(({ assigned }) => assigned >= cohort && assigned < next)
        const ever = users.filter(({ looked }) => looked.length > 0)
        const activeIn = (week: number) =>
          users.filter(({ looked }) => looked.some((n) => Math.floor(n / 7) === week)).length
        return {
          cohort,
          users: users.length,
          ever_active: ever.length,
          median_days_to_first_action: medianOf(ever.map(({ looked }) => Math.min(...looked))),
          active_first_week: activeIn(0),
          share_active_first_week: share(activeIn(0), users.length),
          first_week_under_way: users.filter(({ age }) => age < 7).length,
          weeks: Array.from({ length: weeks }, (_, week) => week).flatMap((week) => {
            const reached = users.filter(({ age }) => age >= 7 * week).length
            return reached === 0
              ? []
              : [{ week, reached, active: activeIn(week), share: share(activeIn(week), reached) }]
          }),
        }
      })
      expect(body.data).toEqual(expected)
    })
  })

  it("are of someone at all", async () => {
    const today = dayIn(own, NOW)
    const { body } = await call(`/v1/reports/adoption?from=${plusDays(today, -90)}&to=${today}`, place.key)
    const users = body.data.reduce((sum: number, { users: n }: { users: number }) => sum + n, 0)
    expect(users).toBeGreaterThan(5)
  })
})
