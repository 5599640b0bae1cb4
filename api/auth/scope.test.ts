import { Effect } from "effect"
import { beforeAll, describe, expect, it } from "vitest"
import { attemptNats, Nats } from "#nats/connection.ts"
import { BUCKETS } from "#schemas/names.ts"
import { expectProblem, newTenant, testApp } from "../test-app.ts"
import { putActions, putTenant, putUsers } from "../test-rows.ts"
import type { Role } from "./credential.ts"
import { createKey } from "./keys.ts"

const { call, run } = testApp()
const tenant = newTenant()
const RANGE = "from=2026-10-01&to=2026-10-31"

const put = (bucket: string, record: object) =>
  run(
    Effect.gen(function* () {
      const { kv } = yield* Nats
      yield* attemptNats("put", async () => (await kv.open(bucket)).put(tenant, JSON.stringify(record)))
    }),
  )

const keyOf = (role: Role, user: string) => run(createKey({ tenant, role, user }))

const usersSeenBy = async (key: string): Promise<ReadonlyArray<string>> => {
  const { status, body } = await call(`/v1/reports/user-insights/users?${RANGE}`, key)
  expect(status).toBe(200)
  return body.data.map(({ user_id }: { readonly user_id: string }) => user_id)
}

const actorsSeenBy = async (key: string): Promise<ReadonlyArray<string>> => {
  const { body } = await call(`/v1/actions?${RANGE}`, key)
  return body.data.map(({ actor }: { readonly actor: { readonly id: string } }) => actor.id).toSorted()
}

beforeAll(async () => {
  await putTenant(tenant, "UTC")
  await putUsers(tenant, {
    u_a: { team_ids: ["t_1"] },
    u_b: { team_ids: ["t_1", "t_2"] },
    u_c: { team_ids: ["t_2"] },
    u_d: { team_ids: [] },
  })
  await putActions(
    tenant,
    "UTC",
    ["u_a", "u_b", "u_c", "u_d", "u_stranger"].map((actor_id) => ({
      id: actor_id,
      type: "contact.created",
      time: "2026-10-10T10:00:00.000Z",
      actor_id,
    })),
  )
  const rights = ["see_insights", "see_actions", "see_clients", "manage_keys"]
  await put(BUCKETS.grants, {
    grants: { "role:manager": rights, "role:member": rights, "role:recruiter": rights },
  })
})

describe("with a grant", () => {
  it("a manager sees the members of their own teams", async () => {
    const key = await keyOf("manager", "u_a")
    expect(await usersSeenBy(key)).toEqual(["u_a", "u_b"])
    expect(await actorsSeenBy(key)).toEqual(["u_a", "u_b"])
  })

  it("a manager of two teams sees both, one without a team nobody but themselves", async () => {
    expect(await usersSeenBy(await keyOf("manager", "u_b"))).toEqual(["u_a", "u_b", "u_c"])
    expect(await usersSeenBy(await keyOf("manager", "u_d"))).toEqual(["u_d"])
  })

  it("a member sees their own numbers", async () => {
    const key = await keyOf("member", "u_c")
    expect(await usersSeenBy(key)).toEqual(["u_c"])
    expect(await actorsSeenBy(key)).toEqual(["u_c"])
  })

  it("whoever is of another kind and has a user's id is not seen as that user", async () => {
    await putActions(
      tenant,
      "UTC",
      (["candidate", "service"] as const).map((actor_type) => ({
        id: `of-a-${actor_type}`,
        type: "candidate.applied",
        time: "2026-10-11T10:00:00.000Z",
        actor_id: "u_c",
        actor_type,
        candidate_id: "u_c",
        job_id: "j_1",
      })),
    )
    for (const key of [await keyOf("member", "u_c"), await keyOf("manager", "u_c")]) {
      const { body } = await call(`/v1/actions?${RANGE}`, key)
      const kinds = body.data.map(({ actor }: { readonly actor: { readonly type: string } }) => actor.type)
      expect([...new Set(kinds)]).toEqual(["member"])
    }
  })

  it("a filter widens no scope", async () => {
    const key = await keyOf("member", "u_c")
    const { body } = await call(
      `/v1/reports/user-insights/summary?${RANGE}&user_id=u_a&user_id=u_stranger`,
      key,
    )
    expect(body.data.contacts_created.value).toBe(0)
    expect(body.meta.unknown_actors).toBe(0)
    expect((await call(`/v1/actions?${RANGE}&user_id=u_a`, key)).body.data).toEqual([])
  })

  it("a credential without a user sees nobody", async () => {
    expect(await usersSeenBy(await run(createKey({ tenant, role: "member" })))).toEqual([])
    expect(await actorsSeenBy(await run(createKey({ tenant, role: "manager" })))).toEqual([])
  })

  it("a right that the role cannot have gives nothing", async () => {
    const recruiter = await run(createKey({ tenant, role: "recruiter" }))
    expectProblem(await call(`/v1/reports/user-insights/summary?${RANGE}`, recruiter), "forbidden", 403)
    expect((await call(`/v1/actions?${RANGE}`, recruiter)).body.data).toHaveLength(7)
  })

  it("a super admin sees everybody and how many are unknown", async () => {
    const key = await run(createKey({ tenant, role: "super_admin" }))
    expect(await usersSeenBy(key)).toEqual(["u_a", "u_b", "u_c", "u_d"])
    const { body } = await call(`/v1/reports/user-insights/summary?${RANGE}`, key)
    expect(body.meta.unknown_actors).toBe(1)
  })
})

describe("a tenant that hides names", () => {
  it("shows none, and no search finds a person by one", async () => {
    const key = await run(createKey({ tenant, role: "super_admin" }))
    await put(BUCKETS.tenantSettings, { hide_names: true })
    const seen = async () => (await call(`/v1/reports/user-insights/users?${RANGE}`, key)).body
    await expect.poll(async () => (await seen()).data[0].name, { timeout: 10_000 }).toBeNull()
    expect((await seen()).data.map(({ email }: { readonly email: unknown }) => email)).toEqual([
      null,
      null,
      null,
      null,
    ])
    const actions = await call(`/v1/actions?${RANGE}`, key)
    expect(actions.body.data[0].actor).toMatchObject({ name: null, email: null })
    for (const query of ["sort=name", "sort=-email", "user_email=a@b.example"])
      expectProblem(await call(`/v1/reports/user-insights/users?${RANGE}&${query}`, key), "names_hidden", 403)
  })
})
