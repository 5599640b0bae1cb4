import { Effect } from "effect"
import { beforeAll, describe, expect, it } from "vitest"
import { attemptNats, Nats } from "#nats/connection.ts"
import { BUCKETS } from "#schemas/names.ts"
import type { Role } from "../auth/credential.ts"
import { createKey } from "../auth/keys.ts"
import { expectProblem, newTenant, testApp } from "../test-app.ts"
import { putActions, putTargets, putTeams, putTenant, putUsers, type TargetVersion } from "../test-rows.ts"

const { call, keyFor, run } = testApp()
const tenant = newTenant()
const OCTOBER = "from=2026-10-01&to=2026-10-31"
let key: string

const NOTES = { metric: "notes_logged", period: "month", holds_from: "2026-01-01", value: 10 } as const
const TARGETS: ReadonlyArray<TargetVersion> = [
  { ...NOTES, event_id: "all", scope: "everyone", set_by: "boss", set_at: "2026-01-01T00:00:00.000Z" },
  { ...NOTES, event_id: "a", scope: "user", scope_id: "u_a", set_at: "2026-01-02T00:00:00.000Z" },
  { ...NOTES, event_id: "c", scope: "user", scope_id: "u_c", set_at: "2026-01-03T00:00:00.000Z" },
  {
    ...NOTES,
    event_id: "each-1",
    scope: "team_members",
    scope_id: "t_1",
    set_at: "2026-01-04T00:00:00.000Z",
  },
  { ...NOTES, event_id: "sum-1", scope: "team", scope_id: "t_1", set_at: "2026-01-05T00:00:00.000Z" },
  { ...NOTES, event_id: "sum-2", scope: "team", scope_id: "t_2", set_at: "2026-01-06T00:00:00.000Z" },
  // Changed from March on, said before what it changes; ended for the same day that it was set for.
  {
    ...NOTES,
    event_id: "all-2",
    scope: "everyone",
    value: 20,
    holds_from: "2026-03-01",
    set_at: "2025-12-31T00:00:00.000Z",
  },
  { ...NOTES, event_id: "week-1", scope: "everyone", period: "week", set_at: "2026-02-01T00:00:00.000Z" },
  {
    ...NOTES,
    event_id: "week-2",
    scope: "everyone",
    period: "week",
    value: null,
    set_at: "2026-02-01T00:00:00.001Z",
  },
  // A month that is still to come.
  {
    ...NOTES,
    event_id: "next",
    scope: "everyone",
    value: 30,
    holds_from: "2100-01-01",
    set_at: "2026-02-02T00:00:00.000Z",
  },
]

const keyOf = (role: Role, user: string) => run(createKey({ tenant, role, user }))

const listOf = async (path: string, as = key) => {
  const { status, body } = await call(path, as)
  expect(status, JSON.stringify(body)).toBe(200)
  return body
}
const idsOf = async (path: string, as = key): Promise<ReadonlyArray<string>> =>
  (await listOf(path, as)).data.map(({ id }: { readonly id: string }) => id)

beforeAll(async () => {
  key = await keyFor(tenant)
  await putTenant(tenant, "UTC")
  await putTeams(tenant, { t_1: { name: "One" }, t_2: { name: "Two" } })
  await putUsers(tenant, {
    u_a: { team_ids: ["t_1"] },
    u_b: { team_ids: ["t_1", "t_2"] },
    u_c: { team_ids: ["t_2"] },
  })
  await putTargets(tenant, TARGETS)
  await putTargets(tenant, TARGETS.toReversed())
  await putTargets(newTenant(), TARGETS)
  await putActions(
    tenant,
    "UTC",
    ["u_a", "u_b", "u_c"].map((actor_id) => ({
      id: actor_id,
      type: "note.logged",
      time: "2026-10-10T10:00:00.000Z",
      actor_id,
      quantity: 4,
    })),
  )
  const rights = ["see_insights"]
  await run(
    Effect.gen(function* () {
      const { kv } = yield* Nats
      yield* attemptNats("put", async () =>
        (await kv.open(BUCKETS.grants)).put(
          tenant,
          JSON.stringify({ grants: { "role:manager": rights, "role:member": rights } }),
        ),
      )
    }),
  )
})

describe("the targets that hold", () => {
  it("are the newest of each that is not ended", async () => {
    expect(await idsOf("/v1/targets")).toEqual(["all-2", "sum-1", "sum-2", "each-1", "a", "c"])
    const { data, meta } = await listOf("/v1/targets?user_id=u_a")
    expect(data).toEqual([
      {
        id: "a",
        metric: "notes_logged",
        period: "month",
        scope: "user",
        user_id: "u_a",
        team_id: null,
        name: "Name of u_a",
        holds_from: "2026-01-01",
        value: 10,
        set_at: "2026-01-02T00:00:00.000Z",
        set_by: null,
      },
    ])
    expect(meta).toMatchObject({ time_zone: "UTC", filters: { user_id: ["u_a"] } })
    expect(Date.parse(meta.data_through)).toBeGreaterThan(0)
  })

  it("may be asked for any day", async () => {
    expect(await idsOf("/v1/targets?on=2026-02-28&scope=everyone")).toEqual(["all"])
    expect(await idsOf("/v1/targets?on=2025-12-31")).toEqual([])
    expect(await idsOf("/v1/targets?on=2100-01-01&scope=everyone")).toEqual(["next"])
  })

  it("come in pages that hold each once", async () => {
    const found: Array<string> = []
    for (let cursor: string | null = ""; cursor !== null;) {
      const body = await listOf(`/v1/targets?limit=2${cursor === "" ? "" : `&cursor=${cursor}`}`)
      found.push(...body.data.map(({ id }: { readonly id: string }) => id))
      cursor = body.next_cursor
    }
    expect(found).toEqual(await idsOf("/v1/targets"))
  })

  it("are filtered by team, metric and period", async () => {
    expect(await idsOf("/v1/targets?team_id=t_1")).toEqual(["sum-1", "each-1"])
    expect(await idsOf("/v1/targets?metric=active_days")).toEqual([])
    expect(await idsOf("/v1/targets?period=week")).toEqual([])
    expectProblem(await call("/v1/targets?on=2026-02-30", key), "invalid_parameter", 400)
    expectProblem(await call("/v1/targets?metric=active_users", key), "invalid_parameter", 400)
  })
})

describe("the history", () => {
  it("has every version once, the newest first, with who set it", async () => {
    const ids = TARGETS.toSorted((one, other) => ((one.set_at ?? "") < (other.set_at ?? "") ? 1 : -1))
    expect(await idsOf("/v1/targets/history")).toEqual(ids.map(({ event_id }) => event_id))
    const { data } = await listOf("/v1/targets/history?scope=everyone&period=week")
    expect(data.map(({ value }: { readonly value: number | null }) => value)).toEqual([null, 10])
    expect((await listOf("/v1/targets/history?scope=everyone")).data.at(-2).set_by).toBe("boss")
  })

  it("comes in pages", async () => {
    const found: Array<string> = []
    for (let cursor: string | null = ""; cursor !== null;) {
      const body = await listOf(`/v1/targets/history?limit=3${cursor === "" ? "" : `&cursor=${cursor}`}`)
      found.push(...body.data.map(({ id }: { readonly id: string }) => id))
      cursor = body.next_cursor
    }
    expect(found).toEqual(await idsOf("/v1/targets/history"))
    expectProblem(await call("/v1/targets/history?cursor=x", key), "invalid_cursor", 400)
  })
})

describe("within a scope", () => {
  const progressOf = async (as: string, subject: string) =>
    (await listOf(`/v1/reports/targets?${OCTOBER}&subject=${subject}`, as)).data.map(
      (row: { readonly id: string; readonly actual: number }) => [row.id, row.actual],
    )

  it("a member is told the own targets, those of the own teams and everyone's", async () => {
    const member = await keyOf("member", "u_a")
    expect(await idsOf("/v1/targets", member)).toEqual(["all-2", "sum-1", "each-1", "a"])
    expect(new Set(await idsOf("/v1/targets/history", member))).toEqual(
      new Set(["all", "all-2", "week-1", "week-2", "next", "sum-1", "each-1", "a"]),
    )
    expect(await idsOf("/v1/targets?user_id=u_c", member)).toEqual([])
  })

  it("a member sees the own progress and no team's", async () => {
    const member = await keyOf("member", "u_a")
    expect(await progressOf(member, "user")).toEqual([["u_a", 4]])
    expect(await progressOf(member, "team")).toEqual([])
    const teams = await listOf(`/v1/reports/user-insights/teams?${OCTOBER}&targets=true`, member)
    expect(
      teams.data.flatMap(({ targets }: { readonly targets: ReadonlyArray<unknown> }) => targets),
    ).toEqual([])
  })

  it("a manager sees the progress of the own teams and their members", async () => {
    const manager = await keyOf("manager", "u_a")
    expect(await idsOf("/v1/targets", manager)).toEqual(["all-2", "sum-1", "each-1", "a"])
    expect(await progressOf(manager, "user")).toEqual([
      ["u_a", 4],
      ["u_b", 4],
    ])
    expect(await progressOf(manager, "team")).toEqual([["t_1", 8]])
  })

  it("whoever stands for nobody is told everyone's targets alone", async () => {
    const nobody = await keyFor(tenant, "member")
    expect(await idsOf("/v1/targets", nobody)).toEqual(["all-2"])
    expect(await progressOf(nobody, "user")).toEqual([])
  })

  it("without a grant nothing is told", async () => {
    const other = newTenant()
    await putTenant(other, "UTC")
    for (const path of ["/v1/targets", "/v1/targets/history", `/v1/reports/targets?${OCTOBER}`])
      expectProblem(await call(path, await keyFor(other, "member")), "forbidden", 403)
  })
})

it("another tenant's targets are in no answer", async () => {
  const other = newTenant()
  const stranger = await keyFor(other)
  await putTenant(other, "UTC")
  for (const path of ["/v1/targets?", "/v1/targets/history?", `/v1/reports/targets?${OCTOBER}&`])
    expect((await listOf(`${path}user_id=u_a`, stranger)).data).toEqual([])
})
