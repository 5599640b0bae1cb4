// Every number is calculated again, in another way, in test-target-count.ts.
import { beforeAll, describe, expect, it } from "vitest"
import { newTenant, testApp } from "../test-app.ts"
import { randomOf } from "../test-random.ts"
import { partsOf, progress, subjectsOf, totals } from "../test-target-count.ts"
import {
  METRICS,
  PERIODS,
  makeWorld,
  put,
  queryOf,
  questionOf,
  USERS,
  type Question,
} from "../test-target-world.ts"

const { call, keyFor } = testApp()

const allPages = async (key: string, query: string, limit: number) => {
  const rows: Array<Readonly<Record<string, unknown>>> = []
  for (let cursor: string | null = ""; cursor !== null;) {
    const at: string = cursor === "" ? "" : `&cursor=${cursor}`
    const { status, body } = await call(`/v1/reports/targets?${query}&limit=${limit}${at}`, key)
    expect(status, JSON.stringify(body)).toBe(200)
    expect(body.data.length).toBeLessThanOrEqual(limit)
    rows.push(...body.data)
    cursor = body.next_cursor
  }
  return rows
}

describe.each([1, 2, 3, 4])("world %i", (seed) => {
  const random = randomOf(seed)
  const now = Date.now()
  const tenant = newTenant()
  const world = makeWorld(random, now)
  let key: string

  beforeAll(async () => {
    key = await keyFor(tenant)
    await put(tenant, world)
  })

  it("has the progress by week and month that was calculated by hand", async () => {
    let rows = 0
    for (let round = 0; round < 8; round++) {
      const question = questionOf(random, world, now)
      const expected = subjectsOf(world, question).flatMap((id) =>
        METRICS.filter((metric) => question.metric.length === 0 || question.metric.includes(metric))
          .toSorted()
          .flatMap((metric) =>
            PERIODS.filter((period) => question.period === undefined || question.period === period)
              .toSorted()
              .flatMap((period) => partsOf(world, question, id, metric, period, now)),
          ),
      )
      const query = queryOf(question, world)
      const answered = await allPages(key, query, random.pick([1 + Math.ceil(expected.length / 5), 1000]))
      rows += expected.length
      expect(answered, query).toEqual(
        expected.map(({ length, passed, actual, ...part }) => ({
          ...part,
          ...progress([{ ...part, length, passed }], actual),
          days_passed: passed,
          subject: question.subject,
          name: question.subject === "team" ? `Team ${part.id}` : `Name of ${part.id}`,
        })),
      )
    }
    expect(rows).toBeGreaterThan(50)
  })

  it("has the same in the users report, added up", async () => {
    const question: Question = {
      ...questionOf(random, world, now),
      subject: "user",
      user_id: [],
      team_id: [],
    }
    const { from, to, zone } = question
    const { body } = await call(
      `/v1/reports/user-insights/users?from=${from}&to=${to}&tz=${zone}&targets=true`,
      key,
    )
    const shown = body.data.map((row: { user_id: string; targets: unknown }) => [row.user_id, row.targets])
    expect(shown).toEqual(subjectsOf(world, question).map((id) => [id, totals(world, question, id, now)]))
  })
  it("has that of whole teams in the teams report, whatever the filters", async () => {
    const question: Question = { ...questionOf(random, world, now), subject: "team", team_id: [] }
    const { from, to, zone } = question
    const path = "/v1/reports/user-insights/teams"
    const users = USERS.map((id) => `user_id=${id}`).slice(0, 3)
    const { body } = await call(
      `${path}?from=${from}&to=${to}&tz=${zone}&targets=true&${users.join("&")}`,
      key,
    )
    const rows = body.data.filter(({ team_id }: { team_id: string | null }) => team_id !== null)
    for (const { team_id, targets } of rows) expect(targets).toEqual(totals(world, question, team_id, now))
    expect(rows.length).toBeGreaterThan(0)
  })
})
