// The licences report of tenants made by chance, beside what counting one by one gives.
import { describe, expect, it } from "vitest"
import { testApp } from "../test-app.ts"
import { dayIn, firstInstant, placedWorld, plusDays, type Span } from "../test-world.ts"

const { call, keyFor } = testApp()
const NOW = Date.now()
const DAY = 86_400_000

const read = async (key: string, query: string) => {
  const { status, body } = await call(`/v1/reports/licenses?${query}`, key)
  expect(status, JSON.stringify(body)).toBe(200)
  return body
}

const daysBetween = (one: string, other: string): number => (Date.parse(other) - Date.parse(one)) / DAY

describe.each([
  [21, "UTC"],
  [22, "Asia/Kathmandu"],
  [23, "America/New_York"],
])("of seed %i in %s", (seed, own) => {
  const place = placedWorld(keyFor, seed, own, NOW)
  const { world } = place

  // Cape Verde's day begins at 01:00 UTC: from then on it is another one than when the day of UTC began.
  describe.each([own, "Australia/Lord_Howe", "Atlantic/Cape_Verde"])("as seen in %s", (zone) => {
    it.each([
      [-60, -30],
      [-10, -2],
      [-2, 2],
    ])("from day %i to %i", async (first, last) => {
      const today = dayIn(zone, NOW)
      const span: Span = { from: plusDays(today, first), to: plusDays(today, last), zone }
      const at = Math.min(firstInstant(plusDays(span.to, 1), zone) - 1, NOW)
      const members = world.members(span, at)
      const ever = new Map(
        world
          .members({ from: "2000-01-01", to: "2100-01-01", zone }, at)
          .map((member) => [member.user_id, member]),
      )
      const lastEver = (user: string): number => ever.get(user)?.last_at ?? -Infinity
      const expected = members
        .filter(({ live, active }) => live && !active)
        .map(({ user_id }) => ({ user_id, at: lastEver(user_id) }))
        .toSorted((a, b) => (a.at === b.at ? (a.user_id < b.user_id ? -1 : 1) : a.at - b.at))
        .map(({ user_id, at: last_at }) => ({
          user_id,
          last_activity_ever_at: last_at === -Infinity ? null : new Date(last_at).toISOString(),
          idle_days: last_at === -Infinity ? null : daysBetween(dayIn(zone, last_at), dayIn(zone, at)),
        }))
      const query = `from=${span.from}&to=${span.to}&tz=${zone}`
      const { data } = await read(place.key, `${query}&limit=500`)
      const { reclaim, ...numbers } = data
      const live = members.filter((member) => member.live)
      const ended = (verb: string) =>
        members.filter((member) => member.live_at_some_time && member.verb === verb).length
      expect(numbers).toEqual({
        live: live.length,
        active: live.filter(({ active }) => active).length,
        inactive: expected.length,
        disabled: ended("disabled"),
        deleted: ended("deleted"),
      })
      expect(
        reclaim.map(({ user_id, last_activity_ever_at, idle_days }: Record<string, unknown>) => ({
          user_id,
          last_activity_ever_at,
          idle_days,
        })),
      ).toEqual(expected)
      for (const { user_id, live_since } of reclaim) {
        const since = Date.parse(live_since)
        const before = (time: number) =>
          world.members(span, time).find((member) => member.user_id === user_id)
        expect([before(since)?.live, before(since - 1)?.live]).toEqual([true, false])
        const changes = world.licenses.filter(
          ({ user_id: id, time }) => id === user_id && Date.parse(time) > since && Date.parse(time) <= at,
        )
        expect(changes.every(({ verb }) => ["assigned", "enabled"].includes(verb))).toBe(true)
      }

      const paged: Array<unknown> = []
      let cursor = ""
      do {
        const page = await read(place.key, `${query}&limit=3${cursor}`)
        expect({ ...page.data, reclaim: [] }).toEqual({ ...data, reclaim: [] })
        paged.push(...page.data.reclaim)
        cursor = page.next_cursor === null ? "" : `&cursor=${page.next_cursor}`
      } while (cursor !== "")
      expect(paged).toEqual(reclaim)
    })
  })
})
