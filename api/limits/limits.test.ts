import { Context, Deferred, Effect } from "effect"
import { beforeAll, describe, expect, it, vi } from "vitest"
import { ClickHouse } from "#clickhouse"
import { makeApp } from "../app.ts"
import { ADMIN_KEY, expectProblem, newTenant, testApp } from "../test-app.ts"
import { DEFAULT_LIMITS, type LimitOptions } from "./limiter.ts"

const { keyFor, publisher, services } = testApp()
const tenant = newTenant()
const SUMMARY = "/v1/reports/user-insights/summary?from=2026-10-01&to=2026-10-31"
let key: string
let other: string

beforeAll(async () => {
  key = await keyFor(tenant)
  other = await keyFor(tenant)
})

/** The app under limits, over a store of the test's own when one is given. */
const under = (limits: Partial<LimitOptions>, over = services()) => {
  const app = makeApp({
    services: over,
    publisher: publisher(),
    adminKey: ADMIN_KEY,
    maxClockAhead: 300_000,
    maxAge: 1e12,
    limits: { ...DEFAULT_LIMITS, ...limits },
  })
  return async (path: string, as = key, init: RequestInit = {}) => {
    const headers = { Authorization: `Bearer ${as}`, "Content-Type": "application/json", ...init.headers }
    const response = await app.request(path, { ...init, headers })
    const { status, headers: answered } = response
    const text = await response.text()
    return { status, headers: answered, body: text.startsWith("{") ? JSON.parse(text) : text }
  }
}

const perSecond = (limit: Partial<LimitOptions["perSecond"]>) => ({
  perSecond: { ...DEFAULT_LIMITS.perSecond, ...limit },
})

/** One call at a time, however slow the machine. */
const SELDOM = perSecond({ query_rate: 0.01 })

const event = (n: number, file = "") => ({
  specversion: "1.0",
  id: `e-${n}`,
  source: "/test",
  type: "user.logged_in",
  time: new Date(Date.now() - 60_000).toISOString(),
  tenantid: tenant,
  data: { actor_id: "u", actor_type: "member", properties: { file } },
})
const batch = (count: number, file = "") => ({
  method: "POST",
  body: JSON.stringify(Array.from({ length: count }, (_, n) => event(n, file))),
})
const BATCH = "/v1/events/batch"

describe("a key that asks too often", () => {
  it("is refused by a code that names the limit, and told when to come again", async () => {
    const call = under(SELDOM)
    expect((await call("/v1/catalog")).status).toBe(200)
    const refused = await call(SUMMARY)
    expectProblem(refused, "query_rate_limited", 429)
    // The first call owes 0.98 of a token.
    expect(Number(refused.headers.get("Retry-After"))).toBeGreaterThan(60)
    expect(Number(refused.headers.get("Retry-After"))).toBeLessThanOrEqual(98)
    expect(refused.body.detail).toContain("0.01 requests a second")
  })

  it("takes nothing from another key of the tenant, nor from what it sends", async () => {
    const call = under(SELDOM)
    for (let n = 0; n < 2; n++) await call("/v1/catalog")
    expect((await call("/v1/catalog")).status).toBe(429)
    expect((await call("/v1/catalog", other)).status).toBe(200)
    expect((await call(BATCH, key, batch(1))).status).toBe(202)
  })

  it("is counted", async () => {
    const call = under(SELDOM)
    for (let n = 0; n < 2; n++) await call("/v1/catalog")
    expect((await call("/metrics")).body).toMatch(/^api_limited_total\{code="query_rate_limited"\} \d+$/mu)
  })
})

describe("a key that sends too much", () => {
  it("is refused by events", async () => {
    const call = under(perSecond({ ingest_events: 0.1 }))
    // More than the bucket holds passes as a whole; its debt is waited for.
    expect((await call(BATCH, key, batch(40))).status).toBe(202)
    const refused = await call(BATCH, key, batch(1))
    expectProblem(refused, "ingest_events_limited", 429)
    expect(Number(refused.headers.get("Retry-After"))).toBeGreaterThan(200)
    expect((await call("/v1/events", key, { method: "POST", body: JSON.stringify(event(1)) })).status).toBe(
      429,
    )
    expect((await call("/v1/directory/batch", key, batch(1))).status).toBe(429)
    expect((await call("/v1/catalog")).status).toBe(200)
  })

  it("is refused by bytes, also by those of bodies that cannot be read", async () => {
    const call = under(perSecond({ ingest_bytes: 10 }))
    expect((await call(BATCH, key, { method: "POST", body: `[${"x".repeat(9000)}` })).status).toBe(400)
    const refused = await call(BATCH, key, batch(1))
    expectProblem(refused, "ingest_bytes_limited", 429)
    expect(refused.body.detail).toContain("10 bytes of events a second")
  })
})

describe("the queries of a tenant", () => {
  /** A store that answers when it is let go. */
  const held = () => {
    const gate = Effect.runSync(Deferred.make<void>())
    const store = Context.get(services(), ClickHouse)
    let asked = 0
    const waiting = Effect.suspend(() => {
      asked++
      return Deferred.await(gate)
    })
    return {
      over: Context.add(
        services(),
        ClickHouse,
        ClickHouse.of({
          ...store,
          query: <Row>(statement: string, options?: Parameters<typeof store.query>[1]) =>
            Effect.andThen(waiting, store.query<Row>(statement, options)),
        }),
      ),
      asked: () => asked,
      letGo: () => Effect.runSync(Deferred.succeed(gate, undefined)),
    }
  }

  it("beyond the limit wait for their turn", async () => {
    const { over, asked, letGo } = held()
    const call = under({ queriesAtOnce: 1, queryWait: 20_000 }, over)
    const first = call(SUMMARY)
    await vi.waitFor(() => expect(asked()).toBeGreaterThan(0))
    const before = asked()
    const second = call(SUMMARY, other)
    // What needs no query passes by.
    expect((await call("/v1/catalog")).status).toBe(200)
    expect(asked()).toBe(before)
    letGo()
    expect((await first).status).toBe(200)
    expect((await second).status).toBe(200)
  })

  it("that wait too long are refused, those of another tenant not", async () => {
    const { over, asked, letGo } = held()
    const call = under({ queriesAtOnce: 1, queryWait: 100 }, over)
    const first = call(SUMMARY)
    await vi.waitFor(() => expect(asked()).toBeGreaterThan(0))
    const refused = await call(SUMMARY, other)
    expectProblem(refused, "overloaded", 503)
    expect(refused.headers.get("Retry-After")).toBe("1")
    const elsewhere = call(SUMMARY, await keyFor(newTenant()))
    // By the time at which this one is refused the other has waited as long.
    expect((await call(SUMMARY, other)).status).toBe(503)
    letGo()
    expect((await first).status).toBe(200)
    expect((await elsewhere).status).toBe(200)
    expect((await call(SUMMARY)).status).toBe(200)
  })

  it("of a client that went away leave their place", async () => {
    const { over, asked, letGo } = held()
    const call = under({ queriesAtOnce: 1, queryWait: 5000 }, over)
    const away = new AbortController()
    const first = call(SUMMARY, key, { signal: away.signal }).catch(() => undefined)
    await vi.waitFor(() => expect(asked()).toBeGreaterThan(0))
    away.abort()
    await first
    const before = asked()
    const second = call(SUMMARY)
    await vi.waitFor(() => expect(asked()).toBeGreaterThan(before))
    letGo()
    expect((await second).status).toBe(200)
  })
})
