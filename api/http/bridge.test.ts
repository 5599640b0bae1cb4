import { Context, Effect, Exit, Layer, Scope } from "effect"
import { TestClock } from "effect/testing"
import { afterAll, beforeAll, expect, it } from "vitest"
import { ClickHouse } from "#clickhouse"
import { makeApp } from "../app.ts"
import { ADMIN_KEY, expectProblem, newTenant, testApp } from "../test-app.ts"

const { keyFor, logs, publisher, services } = testApp()
const SUMMARY = "/v1/reports/user-insights/summary?from=2026-10-01&to=2026-10-31"
const scope = Effect.runSync(Scope.make())
let key: string

beforeAll(async () => {
  key = await keyFor(newTenant())
})
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

/** Asks for a report over a store whose queries are as given, by a clock that a test turns. */
const asked = async (query: Effect.Effect<never>) => {
  const clock = await Effect.runPromise(Layer.buildWithScope(TestClock.layer(), scope))
  const store = Context.get(services(), ClickHouse)
  const over = services().pipe(
    Context.merge(clock),
    Context.add(ClickHouse, ClickHouse.of({ ...store, query: () => query })),
  )
  const app = makeApp({
    services: over,
    publisher: publisher(),
    adminKey: ADMIN_KEY,
    maxClockAhead: 0,
    maxAge: 0,
  })
  const response = Promise.resolve(app.request(SUMMARY, { headers: { Authorization: `Bearer ${key}` } }))
  return { clock, response }
}

it("a report that is not ready in 25 s is given up, and its query interrupted", async () => {
  const begun = Promise.withResolvers<void>()
  const interrupted = Promise.withResolvers<void>()
  const { clock, response } = await asked(
    Effect.never.pipe(
      Effect.onInterrupt(() => Effect.sync(() => interrupted.resolve())),
      (effect) =>
        Effect.andThen(
          Effect.sync(() => begun.resolve()),
          effect,
        ),
    ),
  )
  await begun.promise
  await Effect.runPromise(Effect.provide(TestClock.adjust("25 seconds"), clock))
  await interrupted.promise
  const answer = await response
  expectProblem({ status: answer.status, headers: answer.headers, body: await answer.json() }, "timeout", 503)
  expect(answer.headers.get("Retry-After")).toBe("2")
})

it("a bug is an internal error that says nothing, and is in the log under the request's id", async () => {
  const { response } = await asked(Effect.die(new Error("a customer's row")))
  const answer = await response
  const body = JSON.stringify(await answer.json())
  expect(answer.status).toBe(500)
  expect(body).not.toContain("row")
  const requestId = answer.headers.get("X-Request-Id") ?? "none"
  expect(logs.filter((line) => line.includes(requestId) && line.includes("a customer's row"))).toHaveLength(1)
})
