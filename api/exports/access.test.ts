import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { attemptNats, Nats } from "#nats/connection.ts"
import type { Export } from "#schemas/export-job.ts"
import { BUCKETS } from "#schemas/names.ts"
import type { Role } from "../auth/credential.ts"
import { createKey } from "../auth/keys.ts"
import { expectProblem, newTenant, testApp } from "../test-app.ts"
import { exportCalls, startWorker } from "./test-exporter.ts"

const { call, keyFor, run } = testApp()
const { post, posted, get, ended, download, remove, list } = exportCalls(call)

const put = (bucket: string, tenant: string, record: object) =>
  run(
    Effect.gen(function* () {
      const { kv } = yield* Nats
      yield* attemptNats("put", async () => (await kv.open(bucket)).put(tenant, JSON.stringify(record)))
    }),
  )

/** What is remembered of grants and settings is remembered for two seconds. */
const forgotten = () => new Promise((resolve) => setTimeout(resolve, 2100))

const grant = (tenant: string, role: Role, rights: ReadonlyArray<string>) =>
  put(BUCKETS.grants, tenant, { grants: { [`role:${role}`]: rights } })

const keyOf = (tenant: string, role: Role, user: string) => run(createKey({ tenant, role, user }))

const idsOf = async (key: string): Promise<ReadonlyArray<string>> =>
  (await list(key)).body.data.map(({ id }: Export) => id)

describe("an export of another tenant", () => {
  it("is in no way told from one that is not there", async () => {
    await startWorker()
    const theirs = await keyFor(newTenant())
    const id = await posted(theirs)
    await ended(theirs, id)
    const mine = await keyFor(newTenant())
    const nobodys = "0199a3f2-7c1e-7d3a-9b52-2f1f6f0f9a11"
    const strip = ({ status, body }: { status: number; body: Record<string, unknown> }) => ({
      status,
      body: { ...body, request_id: "" },
    })
    for (const ask of [get, download, remove]) {
      const refused = await ask(mine, id)
      expectProblem(refused, "not_found", 404)
      expect(strip(refused)).toEqual(strip(await ask(mine, nobodys)))
    }
    expect(await idsOf(mine)).toEqual([])
    expect((await download(theirs, id)).status).toBe(200)
  })

  it.each(["..", "*", ">", "a.b", "0199A3F2-7C1E-7D3A-9B52-2F1F6F0F9A11", "x".repeat(2000), "%00", "é"])(
    "cannot be reached by an id like %s",
    async (id) => {
      const key = await keyFor(newTenant())
      for (const ask of [get, download, remove])
        expectProblem(await ask(key, encodeURIComponent(id)), "not_found", 404)
    },
  )
})

describe("within a tenant", () => {
  it("an export is seen by whoever asked for it and by super admins", async () => {
    const tenant = newTenant()
    await grant(tenant, "member", ["export", "see_actions"])
    const [ana, ben] = await Promise.all([keyOf(tenant, "member", "u_a"), keyOf(tenant, "member", "u_b")])
    const admin = await keyFor(tenant)
    const id = await posted(ana)
    expect(await idsOf(ana)).toEqual([id])
    expect(await idsOf(admin)).toEqual([id])
    expect(await idsOf(ben)).toEqual([])
    for (const ask of [get, download, remove]) expectProblem(await ask(ben, id), "not_found", 404)
    const seen = await get(admin, id)
    expect(seen.body.data).toMatchObject({
      created_by: "user:u_a",
      manifest: { scope: { kind: "self", user: "u_a" } },
    })
  })

  it("another key of the same person with less to see does not see more", async () => {
    const tenant = newTenant()
    await put(BUCKETS.grants, tenant, {
      grants: { "role:manager": ["export", "see_actions"], "role:member": ["export", "see_actions"] },
    })
    const manager = await keyOf(tenant, "manager", "u_a")
    const member = await keyOf(tenant, "member", "u_a")
    const ofTeams = await posted(manager)
    const own = await posted(member)
    expect((await idsOf(manager)).toSorted()).toEqual([ofTeams, own].toSorted())
    expect(await idsOf(member)).toEqual([own])
    expectProblem(await get(member, ofTeams), "not_found", 404)
  })

  it("nobody but a super admin exports without a grant, nor what they may not see", async () => {
    const tenant = newTenant()
    const roles: ReadonlyArray<Role> = ["manager", "member", "recruiter", "producer"]
    for (const role of roles) expectProblem(await post(await keyOf(tenant, role, "u_a")), "forbidden", 403)
    const other = newTenant()
    await grant(other, "manager", ["export", "see_insights"])
    const manager = await keyOf(other, "manager", "u_a")
    expectProblem(await post(manager), "forbidden", 403)
    expect((await post(manager, { report: "user_insights" })).status).toBe(202)
  })
})

describe("a download", () => {
  it("is refused when the right was taken back since", async () => {
    await startWorker()
    const tenant = newTenant()
    await grant(tenant, "member", ["export", "see_actions"])
    const ana = await keyOf(tenant, "member", "u_a")
    const id = await posted(ana)
    await ended(ana, id)
    expect((await download(ana, id)).status).toBe(200)
    await grant(tenant, "member", ["export"])
    await forgotten()
    expectProblem(await download(ana, id), "forbidden", 403)
    await grant(tenant, "member", ["see_actions"])
    await forgotten()
    expectProblem(await download(ana, id), "forbidden", 403)
  })

  it("of a file with names is refused when the tenant hides them since", async () => {
    await startWorker()
    const tenant = newTenant()
    const key = await keyFor(tenant)
    const id = await posted(key)
    await ended(key, id)
    await put(BUCKETS.tenantSettings, tenant, { hide_names: true })
    await forgotten()
    expectProblem(await download(key, id), "names_hidden", 403)
    const without = await posted(key)
    expect((await ended(key, without)).manifest.names_hidden).toBe(true)
    expect((await download(key, without)).status).toBe(200)
    expectProblem(await post(key, { user_email: "ana@example.org" }), "names_hidden", 403)
  })

  it("holds no names when they were hidden between the asking and the making", async () => {
    const tenant = newTenant()
    const key = await keyFor(tenant)
    const id = await posted(key)
    await put(BUCKETS.tenantSettings, tenant, { hide_names: true })
    let hidden: boolean | undefined
    await startWorker({
      render: async function* ({ snapshot }) {
        hidden = snapshot.hide_names
        yield Buffer.from("x")
      },
    })
    expect((await ended(key, id)).manifest.names_hidden).toBe(true)
    expect(hidden).toBe(true)
  })
})

it("the list is in pages, newest first", async () => {
  const key = await keyFor(newTenant())
  const ids: Array<string> = []
  for (let at = 0; at < 5; at++) ids.unshift(await posted(key))
  const pages: Array<string> = []
  let cursor: string | null = ""
  do {
    const { body } = await list(key, `limit=2${cursor === "" ? "" : `&cursor=${cursor}`}`)
    expect(body.data.length).toBeLessThanOrEqual(2)
    pages.push(...body.data.map(({ id }: Export) => id))
    cursor = body.next_cursor
  } while (cursor !== null)
  expect(pages).toEqual(ids)
  expectProblem(await list(key, "cursor=x"), "invalid_cursor", 400)
})
