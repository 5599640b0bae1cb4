import { Context } from "effect"
import { expect, it } from "vitest"
import { Nats } from "#nats/connection.ts"
import { NO_TENANT } from "#schemas/names.ts"
import { auditRecords } from "../../test/audit-records.ts"
import { makeApp } from "../app.ts"
import { createKey } from "../auth/keys.ts"
import { ADMIN_KEY, expectProblem, newTenant, testApp } from "../test-app.ts"

const { call, keyFor, logs, publisher, run, services } = testApp()
const RANGE = "from=2026-10-01&to=2026-10-31"
const SUMMARY = "/v1/reports/user-insights/summary"

it("whoever sees a report is on record, with the filters and without addresses", async () => {
  const tenant = newTenant()
  const key = await run(
    createKey({ tenant, role: "super_admin", user: "u_boss", name: "Dashboard of ana@acme.example" }),
  )
  const query = `${RANGE}&team_id=t_1&user_email=Ana@acme.example&user_email=ana`
  const { headers } = await call(`${SUMMARY}?${query}`, key)
  expect(await run(auditRecords(tenant))).toEqual([
    {
      id: expect.stringMatching(/^[0-9a-f-]{36}$/u),
      at: expect.stringMatching(/Z$/u),
      tenant,
      actor: {
        kind: "key",
        id: expect.stringMatching(/^k_[0-9a-f]{20}$/u),
        name: expect.stringMatching(/^Dashboard of sha256:[0-9a-f]{32}$/u),
        user: "u_boss",
        role: "super_admin",
      },
      action: "report.viewed",
      route: `GET ${SUMMARY}`,
      filters: {
        from: "2026-10-01",
        to: "2026-10-31",
        team_id: ["t_1"],
        user_email: [0, 1].map(() => expect.stringMatching(/^sha256:[0-9a-f]{32}$/u)),
      },
      request_id: headers.get("X-Request-Id"),
      outcome: "ok",
    },
  ])
})

it("so is whoever was not allowed to, and nobody who could not be understood", async () => {
  const tenant = newTenant()
  expectProblem(await call(`${SUMMARY}?${RANGE}`, await keyFor(tenant, "member")), "forbidden", 403)
  const key = await keyFor(tenant)
  await call(`${SUMMARY}?from=tomorrow&to=2026-10-31`, key)
  await call(`${SUMMARY}?${RANGE}&nope=1`, key)
  await call(`/v1/actions?${RANGE}&cursor=x`, key)
  await call("/v1/catalog", key)
  const records = await run(auditRecords(tenant))
  expect(records.map(({ actor, outcome, filters }) => [actor.role, outcome, filters])).toEqual([
    ["member", "forbidden", {}],
  ])
})

it("every use of the operator's key is, under the tenant concerned or under none", async () => {
  const tenant = newTenant()
  const before = (await run(auditRecords(NO_TENANT))).length
  const upserted = (tenantid: string) => ({
    specversion: "1.0",
    id: `${tenantid}-1`,
    source: "/test",
    type: "tenant.upserted",
    time: "2026-01-01T00:00:00Z",
    tenantid,
    data: { name: "x", time_zone: "UTC" },
  })
  const send = (...tenants: ReadonlyArray<string>) =>
    call("/v1/directory/batch", ADMIN_KEY, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(tenants.map(upserted)),
    })
  await send(tenant)
  await send(newTenant(), newTenant())
  await call("/v1/catalog", ADMIN_KEY)
  await call("/v1/catalog?nope=1", ADMIN_KEY)
  await call(`${SUMMARY}?${RANGE}`, ADMIN_KEY)
  const lines = (await run(auditRecords(tenant))).concat((await run(auditRecords(NO_TENANT))).slice(before))
  expect(lines.map(({ actor, action, route, outcome }) => [actor.id, action, route, outcome])).toEqual([
    ["operator", "operator.used", "POST /v1/directory/batch", "ok"],
    ["operator", "operator.used", "POST /v1/directory/batch", "ok"],
    ["operator", "operator.used", "GET /v1/catalog", "ok"],
    ["operator", "operator.used", "GET /v1/catalog", "unknown_parameter"],
    ["operator", "report.viewed", `GET ${SUMMARY}`, "forbidden"],
  ])
})

/** The app with a broker whose stream of the audit log acknowledges nothing. */
const deafApp = () => {
  const nats = Context.get(services(), Nats)
  const deaf = Nats.of({
    ...nats,
    jetstream: new Proxy(nats.jetstream, {
      get: (target, name) =>
        name === "publish"
          ? () => Promise.reject(new Error("no acknowledgement"))
          : (Reflect.get(target, name) as unknown),
    }),
  })
  return makeApp({
    services: Context.add(services(), Nats, deaf),
    publisher: publisher(),
    adminKey: ADMIN_KEY,
    maxClockAhead: 0,
    maxAge: 0,
  })
}

it("what cannot be put on record is not answered", async () => {
  const headers = { Authorization: `Bearer ${await keyFor(newTenant())}` }
  const response = await deafApp().request(`${SUMMARY}?${RANGE}`, { headers })
  const body = (await response.json()) as { readonly code: string }
  expect(body).toMatchObject({ code: "unavailable", detail: expect.stringContaining("on record") })
  expect(Object.keys(body)).not.toContain("data")
})

it("a change that was made and cannot be put on record is said in the log", async () => {
  const tenant = newTenant()
  const response = await deafApp().request("/v1/api-keys", {
    method: "POST",
    headers: { Authorization: `Bearer ${await keyFor(tenant)}`, "Content-Type": "application/json" },
    body: JSON.stringify({ role: "producer" }),
  })
  expect(response.status).toBe(503)
  const line = logs.map((text) => JSON.parse(text)).find(({ annotations }) => annotations?.tenant === tenant)
  expect(line).toMatchObject({ level: "ERROR", annotations: { action: "key.created" } })
})
