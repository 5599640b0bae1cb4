import { Context, Effect, Exit, Layer, Schema, Scope } from "effect"
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest"
import { Nats, NatsError } from "#nats/connection.ts"
import { Publisher, PublishError } from "#nats/publisher.ts"
import { makeApp } from "../app.ts"
import { ADMIN_KEY, expectProblem, newTenant, servicesOf, testApp } from "../test-app.ts"
import { Problem, PROBLEM_CODES, PROBLEMS } from "#schemas/problem.ts"
import { ClickHouseError, type ClickHouseReason } from "#clickhouse"
import { Late, problemOf, refusalOf, refuse } from "./failure.ts"

const { app, call, keyFor } = testApp()
const tenant = newTenant()
let key: string
beforeAll(async () => {
  key = await keyFor(tenant)
})

const SUMMARY = "/v1/reports/user-insights/summary"
const RANGE = "from=2026-10-01&to=2026-10-31"

describe("an address", () => {
  it.each(["/", "/v1", "/v1/nope", `${SUMMARY}/`, "/v1/reports/nothing"])("%s is not there", async (path) => {
    expectProblem(await call(path, key), "not_found", 404)
  })

  it("says what it answers to", async () => {
    const got = await call("/v1/events", key)
    expectProblem(got, "method_not_allowed", 405)
    expect(got.headers.get("Allow")).toBe("POST")
    for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
      const refused = await call(SUMMARY, key, { method })
      expectProblem(refused, "method_not_allowed", 405)
      expect(refused.headers.get("Allow")).toBe("GET, HEAD")
    }
  })
})

describe("a credential", () => {
  it("is asked for", async () => {
    const got = await call(`${SUMMARY}?${RANGE}`)
    expectProblem(got, "unauthorized", 401)
    expect(got.headers.get("WWW-Authenticate")).toBe('Bearer realm="tidemark"')
  })

  it.each([
    "Bearer",
    "Bearer ",
    "Basic dXNlcjpwYXNz",
    "Bearer nonsense",
    `Bearer tmk_acme_${"A".repeat(43)}`,
    `Bearer ${ADMIN_KEY}x`,
    "Bearer a b",
  ])("that is not known is refused: %s", async (header) => {
    const got = await call(`${SUMMARY}?${RANGE}`, undefined, { headers: { Authorization: header } })
    expectProblem(got, "unauthorized", 401)
    expect(got.headers.get("WWW-Authenticate")).toContain("invalid_token")
  })

  it("comes before everything that a request says", async () => {
    expectProblem(await call(`${SUMMARY}?nonsense=1`), "unauthorized", 401)
    expectProblem(await call("/v1/events", undefined, { method: "POST", body: "{" }), "unauthorized", 401)
  })

  it("of a role that sees nothing is told which one does", async () => {
    for (const role of ["manager", "member", "recruiter", "producer"] as const) {
      const as = await keyFor(tenant, role)
      for (const path of [
        SUMMARY,
        "/v1/reports/user-insights/users",
        "/v1/reports/user-insights/timeseries",
        "/v1/actions",
      ]) {
        const got = await call(`${path}?${RANGE}`, as)
        expectProblem(got, "forbidden", 403)
        expect(got.body.hint).toContain("super_admin")
      }
    }
    expectProblem(await call(`${SUMMARY}?${RANGE}`, ADMIN_KEY), "forbidden", 403)
    expectProblem(await call("/v1/catalog", await keyFor(tenant, "producer")), "forbidden", 403)
  })
})

describe("a parameter", () => {
  const refused = (query: string, path = SUMMARY) => call(`${path}?${query}`, key)

  it.each(["limit=1", "team=t", "FROM=2026-10-01", "__proto__=1", "constructor=1", "team_id%5B%5D=t", "=1"])(
    "that the call does not have is refused: %s",
    async (extra) => {
      const got = await refused(`${RANGE}&${extra}`)
      expectProblem(got, "unknown_parameter", 400)
      expect(got.body.errors).toHaveLength(1)
    },
  )

  it.each([
    ["from", "to=2026-10-31"],
    ["to", "from=2026-10-01"],
    ["from", "from=2026-02-30&to=2026-10-31"],
    ["from", "from=2026-10-1&to=2026-10-31"],
    ["from", "from=1999-12-31&to=2000-01-02"],
    ["to", "from=2026-10-01&to=2101-01-01"],
    ["to", "from=2026-10-02&to=2026-10-01"],
    ["to", "from=2022-01-01&to=2026-10-01"],
    ["from", "from=2026-10-01&from=2026-10-01&to=2026-10-31"],
    ["from", "from=&to=2026-10-31"],
    ["tz", `${RANGE}&tz=Mars/Olympus`],
    ["tz", `${RANGE}&tz=`],
    ["tz", `${RANGE}&tz=%2B0530`],
    ["tz", `${RANGE}&tz=UTC&tz=UTC`],
    ["license_basis", `${RANGE}&license_basis=ever`],
    ["team_id", `${RANGE}&team_id=`],
    ["user_id", `${RANGE}&user_id=${"x".repeat(321)}`],
    ["user_email", `${RANGE}&${Array.from({ length: 201 }, (_, n) => `user_email=${n}`).join("&")}`],
  ])("%s is refused: %s", async (parameter, query) => {
    const got = await refused(query)
    expectProblem(got, "invalid_parameter", 400)
    expect(got.body.errors).toEqual([{ parameter, detail: expect.any(String) }])
    expect(got.body.detail).toContain(parameter)
  })

  it.each([
    ["sort", "sort=nope"],
    ["sort", "sort=--name"],
    ["sort", "sort=metric"],
    ["limit", "limit=0"],
    ["limit", "limit=501"],
    ["limit", "limit=1e2"],
    ["limit", "limit="],
    ["limit", "limit=-1"],
    ["limit", "limit=%201"],
  ])("%s of the users is refused: %s", async (parameter, query) => {
    const got = await refused(`${RANGE}&${query}`, "/v1/reports/user-insights/users")
    expectProblem(got, "invalid_parameter", 400)
    expect(got.body.errors).toEqual([{ parameter, detail: expect.any(String) }])
  })

  it("says of every one what is wrong", async () => {
    const got = await refused("from=x&to=y&tz=z")
    expect(got.body.errors.map(({ parameter }: { parameter: string }) => parameter)).toEqual([
      "from",
      "to",
      "tz",
    ])
  })

  it.each([
    "from=2024-02-29&to=2024-02-29",
    `${RANGE}&tz=Asia/Kathmandu&license_basis=whole`,
    `${RANGE}&team_id=a&team_id=b&user_id=c&user_email=d`,
    "from=2024-09-01&to=2026-10-31",
    `${RANGE}&tz=Asia/Katmandu`,
  ])("is taken: %s", async (query) => {
    expect((await refused(query)).status).toBe(200)
  })
})

describe("every answer", () => {
  it("carries the request's id, one's own when it can be one", async () => {
    const own = await call("/healthz", undefined, { headers: { "X-Request-Id": "mine-1" } })
    expect(own.headers.get("X-Request-Id")).toBe("mine-1")
    const made = await call("/nope", undefined, { headers: { "X-Request-Id": "<script>" } })
    expect(made.headers.get("X-Request-Id")).toMatch(/^[0-9a-f-]{36}$/u)
    expect(made.body.request_id).toBe(made.headers.get("X-Request-Id"))
    const report = await call(`${SUMMARY}?${RANGE}`, key)
    expect(report.body.meta.request_id).toBe(report.headers.get("X-Request-Id"))
  })

  it("that is long is compressed for whoever takes it", async () => {
    const response = await app().request("/openapi.json", { headers: { "Accept-Encoding": "gzip" } })
    expect(response.headers.get("Content-Encoding")).toBe("gzip")
    const text = await new Response(response.body?.pipeThrough(new DecompressionStream("gzip"))).text()
    expect(JSON.parse(text).openapi).toBe("3.1.0")
    const short = await app().request("/healthz", { headers: { "Accept-Encoding": "gzip" } })
    expect(short.headers.get("Content-Encoding")).toBeNull()
  })

  it("to HEAD has no body", async () => {
    const got = await call(`${SUMMARY}?${RANGE}`, key, { method: "HEAD" })
    expect(got).toMatchObject({ status: 200, body: "" })
  })
})

describe("a failure", () => {
  const secret = "a customer's row"
  const storeError = (reason: ClickHouseReason) => new ClickHouseError({ reason, detail: secret })

  it.each([
    ["unavailable", 503, storeError("unavailable")],
    ["overloaded", 503, storeError("overloaded")],
    ["unavailable", 503, storeError("canceled")],
    ["too_much_data", 422, storeError("time_limit")],
    ["too_much_data", 422, storeError("row_limit")],
    ["too_much_data", 422, storeError("memory_limit")],
    ["internal", 500, storeError("schema")],
    ["internal", 500, storeError("denied")],
    ["internal", 500, storeError("other")],
    ["unavailable", 503, new NatsError({ operation: "x", detail: secret })],
    ["unavailable", 503, new PublishError("timeout", secret)],
    ["unavailable", 503, new PublishError("rejected", secret)],
    ["timeout", 503, new Late()],
    ["forbidden", 403, refuse("forbidden", "no")],
  ] as const)("is %s, %d, and tells nothing of what is inside", (code, status, failure) => {
    const refused = refusalOf(failure)
    const problem = problemOf(refused, "r")
    expect(problem).toMatchObject({ code, status, request_id: "r" })
    expect(JSON.stringify(problem)).not.toContain(secret)
    expect(refused.headers?.["Retry-After"]).toBe(status === 503 ? "2" : undefined)
  })

  it("of any code has the status and title of the list", () => {
    for (const code of PROBLEM_CODES) {
      const problem = problemOf(refuse(code, "why"), "r")
      expect([problem.status, problem.title]).toEqual([...PROBLEMS[code]])
      expect(Schema.is(Problem)(problem)).toBe(true)
    }
  })
})

describe("without engines", () => {
  const scope = Effect.runSync(Scope.make())
  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

  const appOver = async (clickhouseUrl: string, closeNats: boolean) => {
    const services = await Effect.runPromise(
      Layer.buildWithScope(servicesOf(inject("natsUrl"), clickhouseUrl), scope),
    )
    const { connection } = Context.get(services, Nats)
    const publisher = Publisher.open(connection)
    if (closeNats) await connection.close()
    return makeApp({ services, publisher, adminKey: ADMIN_KEY, maxClockAhead: 0, maxAge: 1e12 })
  }
  const NOWHERE = "http://127.0.0.1:1"
  const asKey = () => ({ headers: { Authorization: `Bearer ${key}` } })

  it("a report is unavailable when the store is away, and readiness says which part", async () => {
    const without = await appOver(NOWHERE, false)
    const report = await without.request(`${SUMMARY}?${RANGE}`, asKey())
    expect(report.status).toBe(503)
    expect(report.headers.get("Retry-After")).toBe("2")
    expect(await report.json()).toMatchObject({ code: "unavailable" })
    const ready = await without.request("/readyz")
    expect(ready.status).toBe(503)
    expect(await ready.json()).toMatchObject({
      code: "unavailable",
      checks: { clickhouse: "unavailable", nats: "ok" },
    })
    expect((await without.request("/healthz")).status).toBe(200)
  })

  it("nothing under /v1 answers when the broker is away", async () => {
    const without = await appOver(inject("clickhouseUrl"), true)
    const report = await without.request(`${SUMMARY}?${RANGE}`, asKey())
    expect([report.status, ((await report.json()) as Problem).code]).toEqual([503, "unavailable"])
    const sent = await without.request("/v1/events", {
      method: "POST",
      headers: { Authorization: `Bearer ${ADMIN_KEY}`, "Content-Type": "application/json" },
      body: JSON.stringify({
        specversion: "1.0",
        id: "1",
        source: "/test",
        type: "user.logged_in",
        time: new Date(Date.now() - 60_000).toISOString(),
        tenantid: tenant,
        data: { actor_id: "u", actor_type: "member" },
      }),
    })
    expect([sent.status, ((await sent.json()) as Problem).code, sent.headers.get("Retry-After")]).toEqual([
      503,
      "unavailable",
      "2",
    ])
    const ready = await without.request("/readyz")
    expect(await ready.json()).toMatchObject({ checks: { clickhouse: "ok", nats: expect.any(String) } })
  })
})
