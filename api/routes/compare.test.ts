// Summary and teams of tenants made by chance, beside what counting one by one gives.
import { describe, expect, it } from "vitest"
import { METRICS } from "#schemas/catalogue.ts"
import { testApp } from "../test-app.ts"
import { dayIn, firstInstant, type Member, placedWorld, plusDays, type Span } from "../test-world.ts"

const { call, keyFor } = testApp()
const NOW = Date.now()

const read = async (key: string, report: string, query: string) => {
  const { status, body } = await call(`/v1/reports/user-insights/${report}?${query}`, key)
  expect(status, JSON.stringify(body)).toBe(200)
  return body
}

const sumOf = (members: ReadonlyArray<Member>, metric: string): number =>
  members.reduce((sum, { metrics }) => sum + (metrics[metric] ?? 0), 0)

const kpisOf = (members: ReadonlyArray<Member>) => {
  const total_licenses = members.filter(({ live }) => live).length
  const active_users = members.filter(({ active }) => active).length
  const active_licenses = members.filter(({ active, live }) => active && live).length
  return {
    total_licenses,
    active_users,
    active_licenses,
    activity_ratio: total_licenses === 0 ? null : active_licenses / total_licenses,
  }
}

const numbersOf = (members: ReadonlyArray<Member>): Readonly<Record<string, number | null>> => {
  const kpis = kpisOf(members)
  return {
    ...kpis,
    active_without_license: kpis.active_users - kpis.active_licenses,
    ...Object.fromEntries(METRICS.map((metric) => [metric, sumOf(members, metric)])),
  }
}

describe.each([
  [1, "UTC"],
  [2, "America/New_York"],
  [3, "Asia/Kathmandu"],
])("of seed %i in %s", (seed, own) => {
  const place = placedWorld(keyFor, seed, own, NOW)
  const { world } = place

  const rangeOf = (zone: string, first: number, last: number): Span => {
    const today = dayIn(zone, NOW)
    return { from: plusDays(today, first), to: plusDays(today, last), zone }
  }

  describe.each([own, "Australia/Lord_Howe"])("as seen in %s", (zone) => {
    it.each([
      ["that ended before clocks changed", -60, -30],
      ["that ended", -30, -6],
      ["of today", 0, 0],
      ["that is under way", -3, 3],
      ["that is under way since before clocks changed", -29, 0],
      ["that has not begun", 2, 4],
    ])("a range %s is compared with the period before", async (_, first, last) => {
      const span = rangeOf(zone, first, last)
      const query = `from=${span.from}&to=${span.to}&tz=${zone}&compare=previous`
      const asked = Date.now()
      const { data, meta } = await read(place.key, "summary", query)
      const answered = Date.now()

      const start = firstInstant(span.from, zone)
      const end = firstInstant(plusDays(span.to, 1), zone)
      const days = last - first + 1
      const before: Span = { from: plusDays(span.from, -days), to: plusDays(span.from, -1), zone }
      const beforeStart = firstInstant(before.from, zone)
      expect(meta.previous).toMatchObject({ from: before.from, to: before.to })
      const until = Date.parse(meta.previous.until)
      const longest = (now: number) =>
        end <= now ? start : Math.min(start, beforeStart + Math.max(0, now - start + 1))
      expect(until).toBeGreaterThanOrEqual(longest(asked))
      expect(until).toBeLessThanOrEqual(longest(answered))

      const numbers = numbersOf(world.members(span, Math.min(end - 1, asked)))
      const previous = numbersOf(world.members({ ...before, through: until - 1 }, until - 1))
      for (const [metric, value] of Object.entries(numbers)) {
        const was = previous[metric] ?? null
        const change = value === null || was === null || was === 0 ? null : (value - was) / was
        expect([metric, data[metric]]).toEqual([metric, { value, previous: was, change }])
      }
      expect(Object.keys(data).toSorted()).toEqual(Object.keys(numbers).toSorted())
    })

    it("each team is the sum of its members, and shares are of the sum of the rows", async () => {
      const span = rangeOf(zone, -30, -6)
      const query = `from=${span.from}&to=${span.to}&tz=${zone}`
      const { data, meta } = await read(place.key, "teams", query)
      const members = world.members(span, firstInstant(plusDays(span.to, 1), zone) - 1)
      const ids = ["t_1", "t_2", "t_3", null]
      const membersOf = (team: string | null) =>
        members.filter(({ teams }) => (team === null ? teams.length === 0 : teams.includes(team)))
      expect(data.map(({ team_id }: { team_id: string | null }) => team_id)).toEqual(
        ids.filter((id) => membersOf(id).length > 0),
      )
      for (const { team_id, name, users, metrics, shares, ...kpis } of data) {
        const team = membersOf(team_id)
        const listed = team.filter(({ acted, live_at_some_time }) => acted || live_at_some_time)
        expect([team_id, kpis]).toEqual([team_id, kpisOf(team)])
        expect([team_id, users]).toEqual([team_id, listed.length])
        expect(name).toBe(team_id === "t_1" ? "One" : team_id === "t_2" ? "Two" : null)
        for (const metric of METRICS) {
          const total = ids.reduce((sum, id) => sum + sumOf(membersOf(id), metric), 0)
          expect([metric, metrics[metric]]).toEqual([metric, sumOf(team, metric)])
          expect([metric, shares[metric]]).toEqual([metric, total === 0 ? null : sumOf(team, metric) / total])
        }
      }
      expect(meta.unknown_actors).toBe(world.unknownIn(span))
    })
  })

  it.each(["team_id", "-name", "users", "-activity_ratio", "-logins"])(
    "teams by %s are paged",
    async (sort) => {
      const { from, to } = rangeOf(own, -60, 0)
      const all = await read(place.key, "teams", `from=${from}&to=${to}&sort=${sort}`)
      const paged: Array<unknown> = []
      let cursor = ""
      do {
        const page = await read(place.key, "teams", `from=${from}&to=${to}&sort=${sort}&limit=1${cursor}`)
        expect(page.meta.unknown_actors).toBe(all.meta.unknown_actors)
        paged.push(...page.data)
        cursor = page.next_cursor === null ? "" : `&cursor=${page.next_cursor}`
      } while (cursor !== "")
      expect(paged).toEqual(all.data)
      const name = sort.replace("-", "")
      const values = all.data
        .map(
          (row: Record<string, unknown>) =>
            row[name] ?? (row["metrics"] as Record<string, number>)[name] ?? null,
        )
        .filter((value: unknown) => value !== null) as ReadonlyArray<string | number>
      const sorted = values.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))
      expect(values).toEqual(sort.startsWith("-") ? sorted.toReversed() : sorted)
    },
  )
})
