// Rankings of tenants made by chance, beside what counting one by one gives.
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { attemptNats, Nats } from "#nats/connection.ts"
import { BUCKETS } from "#schemas/names.ts"
import { expectProblem, newTenant, testApp } from "../test-app.ts"
import { dayIn, firstInstant, type Member, placedWorld, plusDays, type Span } from "../test-world.ts"

const { call, keyFor, run } = testApp()
const NOW = Date.now()
const PATH = "/v1/reports/leaderboard"

const read = async (key: string, query: string) => {
  const { status, body } = await call(`${PATH}?${query}`, key)
  expect(status, JSON.stringify(body)).toBe(200)
  return body
}

interface Entry {
  readonly id: string
  readonly value: number
}

const valueIn = (metric: string) => (member: Member) =>
  metric === "active_days" ? member.active_days : (member.metrics[metric] ?? 0)

const usersOf = (members: ReadonlyArray<Member>, metric: string): ReadonlyArray<Entry> =>
  members
    .filter(({ acted, live_at_some_time }) => acted || live_at_some_time)
    .map((member) => ({ id: member.user_id, value: valueIn(metric)(member) }))

const teamsOf = (members: ReadonlyArray<Member>, metric: string): ReadonlyArray<Entry> =>
  [...new Set(members.flatMap(({ teams }) => teams))].map((id) => ({
    id,
    value: members
      .filter(({ teams }) => teams.includes(id))
      .reduce((sum, member) => sum + valueIn(metric)(member), 0),
  }))

const rankOf = (entries: ReadonlyArray<Entry>, { value }: Entry): number =>
  1 + entries.filter((entry) => entry.value > value).length

describe.each([
  [11, "UTC"],
  [12, "America/St_Johns"],
])("of seed %i in %s", (seed, own) => {
  const place = placedWorld(keyFor, seed, own, NOW)
  const { world } = place

  describe.each([own, "Asia/Kolkata"])("as seen in %s", (zone) => {
    it.each([
      ["logins", "user", -40, -10],
      ["page_views", "user", -3, 3],
      ["active_days", "user", -20, 0],
      ["placements", "user", -40, -10],
      ["searches", "team", -40, -10],
      ["active_days", "team", -9, 2],
    ])("%s by %s from day %i to %i", async (metric, by, first, last) => {
      const today = dayIn(zone, NOW)
      const span: Span = { from: plusDays(today, first), to: plusDays(today, last), zone }
      const days = last - first + 1
      const { data, meta } = await read(
        place.key,
        `metric=${metric}&by=${by}&from=${span.from}&to=${span.to}&tz=${zone}&limit=500`,
      )
      // No event of the world is so late that it could matter how long the question took.
      const end = firstInstant(plusDays(span.to, 1), zone)
      const before: Span = {
        from: plusDays(span.from, -days),
        to: plusDays(span.from, -1),
        zone,
        ...(end <= NOW
          ? {}
          : {
              through: firstInstant(plusDays(span.from, -days), zone) + NOW - firstInstant(span.from, zone),
            }),
      }
      const entries = (members: ReadonlyArray<Member>) =>
        by === "team" ? teamsOf(members, metric) : usersOf(members, metric)
      const now = entries(world.members(span, Math.min(end - 1, NOW)))
      const then = entries(world.members(before, before.through ?? firstInstant(span.from, zone) - 1))
      const expected = now
        .map((entry) => {
          const rank = rankOf(now, entry)
          const was = then.find(({ id }) => id === entry.id)
          const previous = was === undefined ? null : rankOf(then, was)
          const smaller = now.filter(({ value }) => value < entry.value).length
          return {
            id: entry.id,
            value: entry.value,
            rank,
            percentile: now.length === 1 ? null : (100 * smaller) / (now.length - 1),
            previous_value: was?.value ?? null,
            previous_rank: previous,
            rank_change: previous === null ? null : previous - rank,
          }
        })
        .toSorted((a, b) => b.value - a.value || (a.id < b.id ? -1 : 1))
      const shown = data.map((row: Record<string, unknown>) => ({
        ...Object.fromEntries(Object.keys(expected[0] ?? {}).map((name) => [name, row[name]])),
        id: row["user_id"] ?? row["team_id"],
      }))
      expect(shown).toEqual(expected)
      expect(meta.ranked).toBe(now.length)
      expect(meta.unknown_actors).toBe(world.unknownIn(span))
    })
  })

  it.each(["user", "team"])("by %s in pages", async (by) => {
    const today = dayIn(own, NOW)
    const query = `metric=logins&by=${by}&from=${plusDays(today, -60)}&to=${today}`
    const all = await read(place.key, `${query}&limit=500`)
    expect(all.data.length).toBeGreaterThan(2)
    const paged: Array<unknown> = []
    let cursor = ""
    do {
      const page = await read(place.key, `${query}&limit=${by === "user" ? 7 : 1}${cursor}`)
      expect(page.meta.ranked).toBe(all.meta.ranked)
      paged.push(...page.data)
      cursor = page.next_cursor === null ? "" : `&cursor=${page.next_cursor}`
    } while (cursor !== "")
    expect(paged).toEqual(all.data)
  })

  it("shows whom user_id and user_email name with the rank that they have among all", async () => {
    const today = dayIn(own, NOW)
    const query = `metric=logins&from=${plusDays(today, -60)}&to=${today}`
    const all = await read(place.key, query)
    const [one, other] = [all.data.at(-1), all.data[2]]
    expect(one.rank).toBeGreaterThan(2)
    const shown = await read(place.key, `${query}&user_id=${one.user_id}&user_id=${other.user_id}`)
    expect(shown.data).toEqual([other, one])
    expect(shown.meta.ranked).toBe(all.meta.ranked)
    const byEmail = await read(
      place.key,
      `${query}&user_email=${encodeURIComponent(other.email.toUpperCase())}`,
    )
    expect(byEmail.data).toEqual([other])
    const nobody = await read(place.key, `${query}&user_id=nobody`)
    expect([nobody.data, nobody.meta.ranked]).toEqual([[], all.meta.ranked])
  })
})

it("is refused where ranking is off, and so are users in order of a metric", async () => {
  const tenant = newTenant()
  const key = await keyFor(tenant)
  await run(
    Effect.gen(function* () {
      const { kv } = yield* Nats
      yield* attemptNats("put", async () =>
        (await kv.open(BUCKETS.tenantSettings)).put(tenant, JSON.stringify({ ranking: false })),
      )
    }),
  )
  const range = "from=2026-10-01&to=2026-10-31"
  expectProblem(await call(`${PATH}?${range}&metric=logins`, key), "ranking_off", 403)
  const users = "/v1/reports/user-insights/users"
  for (const sort of ["logins", "-logins", "-active_days"])
    expectProblem(await call(`${users}?${range}&sort=${sort}`, key), "ranking_off", 403)
  for (const sort of ["name", "-last_tracked_activity_at"])
    expect((await call(`${users}?${range}&sort=${sort}`, key)).status).toBe(200)
})
