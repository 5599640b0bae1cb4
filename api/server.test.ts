import { randomUUID } from "node:crypto"
import { connect, createServer } from "node:net"
import { Context, Effect, Exit, Layer, Scope } from "effect"
import { afterEach, beforeAll, beforeEach, describe, expect, inject, it, vi } from "vitest"
import { ClickHouse } from "#clickhouse"
import { Nats } from "#nats/connection.ts"
import { createKey } from "./auth/keys.ts"
import { type ListenError, serveApi } from "./server.ts"
import { ADMIN_KEY, newTenant, servicesOf, storeAs } from "./test-app.ts"

const OPTIONS = { host: "127.0.0.1", port: 0, adminKey: ADMIN_KEY, maxClockAhead: 300_000, maxAge: 1e12 }
const SUMMARY = "/v1/reports/user-insights/summary?from=2026-10-01&to=2026-10-31"

let scope: Scope.Closeable
let services: Context.Context<ClickHouse | Nats>
let key: string

beforeEach(async () => {
  scope = Effect.runSync(Scope.make())
  services = await Effect.runPromise(
    Layer.buildWithScope(servicesOf(inject("natsUrl"), inject("clickhouseUrl")), scope),
  )
})
afterEach(() => Effect.runPromise(Scope.close(scope, Exit.void)))
beforeAll(async () => {
  key = await Effect.runPromise(
    createKey({ tenant: newTenant(), role: "super_admin" }).pipe(
      Effect.provide(Nats.layer({ url: inject("natsUrl"), name: "test" })),
    ),
  )
})

/** Serves in a scope of its own within the test's. */
const serve = async (over = services) => {
  const own = Effect.runSync(Scope.fork(scope))
  const { port } = await Effect.runPromise(
    serveApi(OPTIONS).pipe(Effect.provide(over), Effect.provideService(Scope.Scope, own)),
  )
  return { url: `http://127.0.0.1:${port}`, close: () => Effect.runPromise(Scope.close(own, Exit.void)) }
}

/** The store, with every query waiting so many half seconds first, under query ids that begin with `prefix`. */
const slow = (halfSeconds: number, prefix: string) => {
  const store = Context.get(services, ClickHouse)
  let n = 0
  const wait = `SELECT sleepEachRow(0.5) FROM numbers(${halfSeconds}) SETTINGS max_block_size = 1`
  return Context.add(
    services,
    ClickHouse,
    ClickHouse.of({
      ...store,
      query: <Row>(statement: string, options?: Parameters<typeof store.query>[1]) =>
        Effect.andThen(
          Effect.suspend(() => store.query(wait, { queryId: `${prefix}-${n++}` })),
          store.query<Row>(statement, options),
        ),
    }),
  )
}

const isRunning = async (prefix: string): Promise<boolean> => {
  const rows = await Effect.runPromise(
    ClickHouse.use((store) =>
      store.query<{ n: number }>(
        "SELECT count() AS n FROM system.processes WHERE startsWith(query_id, {prefix:String})",
        {
          params: { prefix },
        },
      ),
    ).pipe(Effect.provide(storeAs("tidemark_writer"))),
  )
  return rows[0]?.n !== 0
}

const asked = (url: string, signal?: AbortSignal) =>
  fetch(`${url}${SUMMARY}`, {
    headers: { Authorization: `Bearer ${key}` },
    ...(signal === undefined ? {} : { signal }),
  })

describe("the API", () => {
  it("listens, and answers over a connection", async () => {
    const { url } = await serve()
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
    const report = await asked(url)
    expect([report.status, report.headers.get("Content-Type")]).toEqual([200, "application/json"])
  })

  it("takes addresses with every filter full", async () => {
    const { url } = await serve()
    const lists = ["client_id", "user_id", "user_email", "candidate_id", "job_id"]
    const many = lists.flatMap((name) =>
      Array.from({ length: 200 }, (_, n) => `${name}=${encodeURIComponent(`${"@".repeat(316)}${n}`)}`),
    )
    const got = await fetch(`${url}/v1/actions?from=2026-10-01&to=2026-10-31&${many.join("&")}`, {
      headers: { Authorization: `Bearer ${key}` },
    })
    expect(got.status, await got.text()).toBe(200)
  })

  it.each([
    ["headers_too_large", `GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: ${"x".repeat(1_100_000)}\r\n\r\n`],
    ["malformed_request", "GET / HTTP/9.9\r\n\r\n"],
    ["malformed_request", "nonsense\r\n\r\n"],
  ])("answers a problem %s to what is no request", async (code, sent) => {
    const { url } = await serve()
    const socket = connect(Number(new URL(url).port), "127.0.0.1")
    socket.write(sent)
    let text = ""
    // What comes after the answer to a flood may be a reset.
    for await (const chunk of socket.on("error", () => undefined)) text += String(chunk)
    const [head = "", body = ""] = text.split("\r\n\r\n")
    expect(head).toContain("Content-Type: application/problem+json")
    expect(JSON.parse(body)).toMatchObject({ code, request_id: expect.stringMatching(/^[\w-]{36}$/u) })
  })

  it("cancels the query of a client that went away", async () => {
    const prefix = `test-${randomUUID()}`
    const { url } = await serve(slow(60, prefix))
    const away = new AbortController()
    const report = asked(url, away.signal).catch((error: Error) => error.name)
    await vi.waitFor(async () => expect(await isRunning(prefix)).toBe(true), { timeout: 5000 })
    away.abort()
    expect(await report).toBe("AbortError")
    await vi.waitFor(async () => expect(await isRunning(prefix)).toBe(false), { timeout: 5000 })
  })

  it("lets a request that is under way end before it closes, and takes no other", async () => {
    const prefix = `test-${randomUUID()}`
    const { url, close } = await serve(slow(1, prefix))
    const report = asked(url)
    await vi.waitFor(async () => expect(await isRunning(prefix)).toBe(true), { timeout: 5000 })
    const closing = performance.now()
    const closed = close()
    await vi.waitFor(() => expect(fetch(`${url}/healthz`)).rejects.toThrow("fetch failed"), { timeout: 5000 })
    expect((await report).status).toBe(200)
    await closed
    // Well before the connection's keep-alive would have ended it.
    expect(performance.now() - closing).toBeLessThan(4500)
  })

  it("says in words that its port is taken", async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve))
    const { port } = taken.address() as { port: number }
    const error: ListenError = await Effect.runPromise(
      Effect.flip(Effect.scoped(serveApi({ ...OPTIONS, port }))).pipe(
        Effect.provide(services),
      ) as Effect.Effect<ListenError>,
    )
    expect(error).toMatchObject({ reason: "address_in_use" })
    expect(error.message).toContain(`127.0.0.1:${port}`)
    expect(error.message).toContain("API_PORT")
    taken.close()
  })
})
