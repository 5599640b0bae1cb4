import { randomBytes } from "node:crypto"
import { Effect } from "effect"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { attemptNats, Nats } from "#nats/connection.ts"
import type { LedgerRecord } from "#schemas/ledger.ts"
import { BUCKETS } from "#schemas/names.ts"
import { newTenant, testApp } from "../test-app.ts"
import { appliedThrough, readLedger, readStream } from "./freshness.ts"

const { call, keyFor, run } = testApp()
const STREAM = `TEST_${randomBytes(6).toString("hex")}`
const NOW = Date.now() + 60_000

const stamps: Array<number> = []

beforeAll(() =>
  run(
    Effect.gen(function* () {
      const { jetstream, manager } = yield* Nats
      yield* attemptNats("prepare", async () => {
        await manager.streams.add({ name: STREAM, subjects: [`${STREAM}.>`] })
        for (let n = 1; n <= 4; n++) {
          await jetstream.publish(`${STREAM}.x`, `${n}`)
          const stored = await manager.streams.getMessage(STREAM, { seq: n })
          stamps.push(stored?.time.getTime() ?? 0)
        }
        // A message that left the stream on its own.
        await manager.streams.deleteMessage(STREAM, 3)
      })
    }),
  ),
)

afterAll(() =>
  run(
    Effect.gen(function* () {
      const { kv, manager } = yield* Nats
      yield* attemptNats("clean up", async () => {
        await manager.streams.delete(STREAM)
        await (await kv.open(BUCKETS.ledger)).purge(STREAM)
      })
    }),
  ),
)

const through = (applied: number) =>
  run(
    Effect.gen(function* () {
      return yield* appliedThrough(yield* readStream(STREAM), applied, NOW)
    }),
  )

describe("a stream is applied", () => {
  it("up to now when nothing waits", async () => {
    expect(await through(4)).toBe(NOW)
    expect(await through(5)).toBe(NOW)
  })

  it("up to just before the first message that waits", async () => {
    expect(await through(0)).toBe((stamps[0] ?? 0) - 1)
    expect(await through(1)).toBe((stamps[1] ?? 0) - 1)
  })

  it("past messages that have left it", async () => {
    expect(await through(2)).toBe((stamps[3] ?? 0) - 1)
  })

  it("up to now when there is none", async () => {
    expect(await run(appliedThrough(undefined, 0, NOW))).toBe(NOW)
    expect(await run(readStream("NO_SUCH_STREAM"))).toBeUndefined()
  })
})

describe("a ledger", () => {
  const record: LedgerRecord = {
    generation: 3,
    stream: STREAM,
    created: "2026-01-01T00:00:00Z",
    committed: 2,
    committed_id: "t:1",
    committed_at: 1,
    horizon: 100,
    look_up_all_until: 0,
    duplicate_window: 1,
    max_clock_ahead: 1,
    owner: "w",
    epoch: 1,
    lease_until: 1,
  }
  const write = (value: string) =>
    run(
      Effect.gen(function* () {
        const { kv } = yield* Nats
        return yield* attemptNats("write", async () => (await kv.open(BUCKETS.ledger)).put(STREAM, value))
      }),
    )

  it("is absent while no writer has run", async () => {
    expect(await run(readLedger("NO_SUCH_STREAM"))).toBeUndefined()
  })

  it("is read as the writer wrote it", async () => {
    await write(JSON.stringify(record))
    expect(await run(readLedger(STREAM))).toMatchObject({ generation: 3, committed: 2 })
  })

  it("that cannot be read is none", async () => {
    await write("nonsense")
    expect(await run(readLedger(STREAM))).toBeUndefined()
  })
})

it("a report waits for what was sent before it was asked", async () => {
  const tenant = newTenant()
  const key = await keyFor(tenant)
  const event = {
    specversion: "1.0",
    id: "1",
    source: "/test",
    type: "team.upserted",
    time: "2026-10-01T00:00:00Z",
    tenantid: tenant,
    data: { team_id: "t", name: "T" },
  }
  const headers = { "Content-Type": "application/json" }
  const sent = await call("/v1/directory/batch", key, {
    method: "POST",
    headers,
    body: JSON.stringify([event]),
  })
  expect(sent.status).toBe(202)
  const acknowledged = Date.now()
  // Nothing applies the directory's stream here, so its first message that waits is before this one, or this one.
  const { body } = await call("/v1/reports/user-insights/summary?from=2026-10-01&to=2026-10-31", key)
  expect(Date.parse(body.meta.data_through)).toBeLessThan(acknowledged)
})
