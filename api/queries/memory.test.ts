import { Effect, Fiber } from "effect"
import { beforeAll, describe, expect, inject, it } from "vitest"
import type { ClickHouse } from "#clickhouse"
import { makeApp } from "../app.ts"
import { ADMIN_KEY, newTenant, storeAs, testApp } from "../test-app.ts"
import { overheard } from "../test-overheard.ts"
import { putActions, putLicenses, putTenant, putUsers } from "../test-rows.ts"
import { Memory } from "./memory.ts"

const { keyFor, publisher, services } = testApp()

/** An app over the store with an ear on it. */
const listening = () => {
  const { over, statements } = overheard(services())
  const options = { publisher: publisher(), adminKey: ADMIN_KEY, maxClockAhead: 0, maxAge: 0 }
  return { app: makeApp({ services: over, ...options }), statements }
}

const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString()

describe("a report that is asked for again", () => {
  const tenant = newTenant()
  const OCTOBER = "from=2026-10-01&to=2026-10-31"
  const NOW = `from=${inDays(-3).slice(0, 10)}&to=${inDays(3).slice(0, 10)}`
  let key: string
  let number = 0
  const act = (time: string) =>
    putActions(tenant, "UTC", [{ id: `e-${number++}`, type: "note.logged", time, actor_id: "u_1" }])

  beforeAll(async () => {
    key = await keyFor(tenant)
    await putTenant(tenant, "UTC")
    await putUsers(tenant, { u_1: {}, u_2: {} })
    await putLicenses(tenant, [
      { user_id: "u_1", verb: "assigned", time: "2026-01-01T00:00:00.000Z" },
      { user_id: "u_1", verb: "disabled", time: inDays(-0.00001) },
    ])
    await act("2026-10-05T10:00:00.000Z")
  })

  const ask = async ({ app, statements }: ReturnType<typeof listening>, report: string, query: string) => {
    statements.length = 0
    const response = await app.request(`/v1/reports/${report}?${query}`, {
      headers: { Authorization: `Bearer ${key}` },
    })
    const body = await response.text()
    expect(response.status, body).toBe(200)
    const reads = statements.filter((statement) =>
      /tidemark\.(?:user_activity|directory_(?:users|lic))/u.test(statement),
    )
    return { data: JSON.parse(body).data, reads: reads.length }
  }

  it.each([
    ["user-insights/summary", OCTOBER],
    ["user-insights/users", OCTOBER],
    ["user-insights/teams", OCTOBER],
    ["user-insights/timeseries", OCTOBER],
    ["user-insights/summary", NOW],
    ["user-insights/users", NOW],
    ["leaderboard", `${OCTOBER}&metric=logins`],
    ["adoption", OCTOBER],
    ["licenses", NOW],
  ])("is not read again while nothing of it changed: %s?%s", async (report, query) => {
    const ear = listening()
    // The engines are shared with other files' tests, whose rows make parts too.
    for (let attempt = 0; ; attempt++) {
      const first = await ask(ear, report, query)
      expect(attempt === 0 ? first.reads : 1).toBeGreaterThan(0)
      const again = await ask(ear, report, query)
      expect(again.data).toEqual(first.data)
      if (again.reads === 0) return
      expect(attempt).toBeLessThan(50)
    }
  })

  it("is read again after an event of its range, a change of the directory or of a licence", async () => {
    const ear = listening()
    const notes = async () => (await ask(ear, "user-insights/summary", OCTOBER)).data.notes_logged.value
    const before = await notes()
    await act("2026-10-31T23:59:59.999Z")
    expect(await notes()).toBe(before + 1)
    await act("2026-10-01T00:00:00.000Z")
    expect(await notes()).toBe(before + 2)
    const licenses = async () => (await ask(ear, "user-insights/summary", NOW)).data.total_licenses.value
    expect(await licenses()).toBe(0)
    await putLicenses(tenant, [{ user_id: "u_2", verb: "assigned", time: "2026-11-01T00:00:00.000Z" }])
    expect(await licenses()).toBe(1)
    await putUsers(tenant, { u_2: { kind: "client", version: "2026-10-01T00:00:00.000Z" } })
    expect(await licenses()).toBe(0)
  })

  it("is read again when a licence changes at a time that was told before", async () => {
    const ear = listening()
    const at = Date.now() + 2500
    await putLicenses(tenant, [{ user_id: "u_1", verb: "enabled", time: new Date(at).toISOString() }])
    const licenses = async () => (await ask(ear, "user-insights/summary", NOW)).data.total_licenses.value
    const before = await licenses()
    const early = Date.now() < at
    while (Date.now() <= at) await licenses()
    expect(await licenses()).toBe(early ? before + 1 : before)
  })
})

describe("one question that several ask at once", () => {
  const run = <A, E>(effect: Effect.Effect<A, E, ClickHouse>) =>
    Effect.runPromise(Effect.provide(effect, storeAs("tidemark_api", inject("clickhouseUrl"))))
  const SLOW = "SELECT sleep(1) AS slept, generateUUIDv4() AS id"

  it("is asked once", async () => {
    const memory = new Memory()
    const ids = await run(
      Effect.all(
        Array.from({ length: 5 }, () => memory.ask<{ readonly id: string }>("1", SLOW, {})),
        { concurrency: "unbounded" },
      ),
    )
    expect(new Set(ids.map(([row]) => row?.id)).size).toBe(1)
  })

  it("goes on when the first of them leaves", async () => {
    const memory = new Memory()
    const rows = await run(
      Effect.gen(function* () {
        const first = yield* Effect.forkChild(memory.ask("1", SLOW, {}))
        const second = yield* Effect.forkChild(memory.ask("1", SLOW, {}))
        yield* Effect.sleep("100 millis")
        yield* Fiber.interrupt(first)
        return yield* Fiber.join(second)
      }),
    )
    expect(rows).toHaveLength(1)
  })

  it("is another one when the version is", async () => {
    const memory = new Memory()
    const ask = (version: string) =>
      memory.ask<{ readonly id: string }>(version, "SELECT generateUUIDv4() AS id", {})
    const [one, same, other] = await run(Effect.all([ask("1"), ask("1"), ask("2")]))
    expect(same).toBe(one)
    expect(other?.[0]?.id).not.toBe(one?.[0]?.id)
  })

  it("that failed is asked again", async () => {
    const memory = new Memory()
    const failing = "SELECT throwIf(1) AS n"
    const twice = await run(
      Effect.all([Effect.flip(memory.ask("1", failing, {})), Effect.flip(memory.ask("1", failing, {}))]),
    )
    expect(twice).toHaveLength(2)
    expect(twice[0]).not.toBe(twice[1])
  })
})
