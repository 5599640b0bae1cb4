import { setTimeout as pause } from "node:timers/promises"
import { Effect } from "effect"
import { beforeAll, expect, it } from "vitest"
import { attemptNats, Nats } from "#nats/connection.ts"
import { BUCKETS } from "#schemas/names.ts"
import { DEFAULT_SETTINGS } from "#schemas/tenant-settings.ts"
import { auditRecords } from "../../test/audit-records.ts"
import { expectProblem, newTenant, testApp } from "../test-app.ts"
import { putTenant, putUsers } from "../test-rows.ts"

const { call, keyFor, run } = testApp()
const tenant = newTenant()
const PATH = "/v1/settings"
let admin: string

const put = (body: object, headers: object = {}) =>
  call(PATH, admin, {
    method: "PUT",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  })

beforeAll(async () => {
  admin = await keyFor(tenant)
  await putTenant(tenant, "UTC")
  await putUsers(tenant, { u_1: { name: "Ana" } })
})

it("a tenant has the defaults until it changes them, and what it leaves out has its default again", async () => {
  const before = await call(PATH, admin)
  expect(before.body).toEqual({ data: DEFAULT_SETTINGS, changed_at: null, changed_by: null })
  const changed = await put({ ranking: false })
  expect(changed.body).toEqual({
    data: { ...DEFAULT_SETTINGS, ranking: false },
    changed_at: expect.stringMatching(/Z$/u),
    changed_by: expect.stringMatching(/^k_/u),
  })
  expect((await call(PATH, admin)).body).toEqual(changed.body)
  expect((await put({})).body.data).toEqual(DEFAULT_SETTINGS)
})

it("a change holds for reports within two seconds", async () => {
  const sorted = "/v1/reports/user-insights/users?from=2026-10-01&to=2026-10-31&sort=name"
  expect((await call(sorted, admin)).status).toBe(200)
  await put({ hide_names: true })
  const begun = Date.now()
  let last = begun
  for (let asked = begun; (await call(sorted, admin)).status === 200; asked = Date.now()) {
    last = asked
    await pause(50)
  }
  expect(last - begun).toBeLessThan(2500)
  expectProblem(await call(sorted, admin), "names_hidden", 403)
  await put({})
})

it("a change is refused when the settings are no longer what was read", async () => {
  const read = await call(PATH, admin)
  const seen = { "If-Match": read.headers.get("ETag") ?? "" }
  expect((await put({ hide_names: true }, seen)).status).toBe(200)
  expectProblem(await put({ ranking: false }, seen), "precondition_failed", 412)
  expect((await put({})).status).toBe(200)
})

it("what is no setting is refused", async () => {
  expectProblem(await put({ hide_name: true }), "invalid_body", 400)
  expectProblem(await put({ ranking: "no" }), "invalid_body", 400)
})

it("a change is on record with what it replaced", async () => {
  await put({ ranking: false })
  const records = await run(auditRecords(tenant))
  expect(records.at(-1)).toMatchObject({
    action: "settings.changed",
    filters: { ranking: false, before: DEFAULT_SETTINGS },
    outcome: "ok",
  })
})

it("settings that cannot be read hide names and rank nobody, and are not written over", async () => {
  const own = newTenant()
  const key = await keyFor(own)
  await putTenant(own, "UTC")
  await putUsers(own, { u_1: { name: "Ana" } })
  await run(
    Effect.flatMap(Nats, ({ kv }) =>
      attemptNats("put", async () =>
        // A threshold that is out of bounds now.
        (await kv.open(BUCKETS.tenantSettings)).put(own, JSON.stringify({ signals: { engaged_days: 0 } })),
      ),
    ),
  )
  const users = "/v1/reports/user-insights/users?from=2026-10-01&to=2026-10-31"
  expectProblem(await call(`${users}&sort=name`, key), "names_hidden", 403)
  expectProblem(await call(`${users}&sort=logins`, key), "ranking_off", 403)
  expect((await call(PATH, key)).body.data).toMatchObject({ hide_names: true, ranking: false })
  // A newer version may have written them.
  const set = await call(PATH, key, {
    method: "PUT",
    headers: { "Content-Type": "application/json" },
    body: "{}",
  })
  expectProblem(set, "unavailable", 503)
})
