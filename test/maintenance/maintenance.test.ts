import { expect, layer } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber } from "effect"
import { ClickHouse } from "#clickhouse"
import type { LedgerRecord } from "#schemas/ledger.ts"
import { BUCKETS, STREAMS, TABLES } from "#schemas/names.ts"
import { Nats } from "#nats/connection.ts"
import { BarrierTaken, maintain } from "../../pipeline/writer/maintenance.ts"
import { changing } from "../../pipeline/writer/unproved.ts"
import { deadLetters } from "../faults/dead-letters.ts"
import { Traffic } from "../faults/traffic.ts"
import { until } from "../faults/until.ts"
import { World } from "../faults/world.ts"
import { kill, owns, standsBy } from "../faults/writers.ts"
import { asMaintainer, maintenance } from "./maintainer.ts"

const maintaining = <A, E, R>(work: Effect.Effect<A, E, R>, why = "a test") =>
  asMaintainer((zones) => maintain({ ...maintenance(), why }, zones, work))

const stored = Effect.flatMap(ClickHouse, (store) =>
  store.query<{ rows: number }>(`SELECT count() AS rows FROM ${TABLES.actions}`),
).pipe(Effect.map((rows) => rows[0]?.rows ?? 0))

/** A row that no event made. */
const spoil = Effect.flatMap(ClickHouse, (store) =>
  store.command(
    `INSERT INTO ${TABLES.activity15m} (tenant, quarter, user_id, action, events, quantity, last_at)
     SELECT 'b', toDateTime('2026-11-02 10:00:00', 'UTC'), 'nobody', 'note.logged', 7, 7, toDateTime64('2026-11-02 10:01:00', 3, 'UTC')`,
  ),
)
const DAY = { tenants: ["b"], from: "2026-11-01", to: "2026-11-03" }

layer(Traffic.layer, { excludeTestServices: true, timeout: "120 seconds" })("maintenance", (it) => {
  it.effect(
    "has the partition to itself under load, and the writer goes on by itself",
    () =>
      Effect.gen(function* () {
        const { expected, publish } = yield* Traffic
        const { startWriter, quiet, ledger } = yield* World
        const first = yield* startWriter()
        yield* until("the first owns", owns(first))
        const second = yield* startWriter()
        yield* until("the second stands by", standsBy(second))
        const loading = yield* publish("a", 50).pipe(Effect.repeat({ times: 40 }), Effect.forkChild)
        yield* until(
          "rows",
          Effect.map(stored, (rows) => rows > 0),
        )
        yield* maintaining(
          Effect.gen(function* () {
            const before = yield* stored
            expect([yield* owns(first), yield* owns(second)]).toEqual([false, false])
            const other = yield* Effect.flip(maintaining(Effect.void, "another"))
            expect(other).toBeInstanceOf(BarrierTaken)
            expect(other.message).toContain("a test")
            yield* publish("a", 50)
            // Longer than a lease lasts.
            yield* Effect.sleep("1500 millis")
            const record = yield* ledger
            expect(record).toMatchObject({ barrier: { why: "a test" }, horizon: record?.committed })
            expect(yield* stored).toBe(before)
          }),
        )
        yield* Fiber.join(loading)
        yield* quiet
        expect(yield* ledger).not.toHaveProperty("barrier")
        expect(yield* expected.differences()).toEqual([])
        expect(yield* deadLetters).toEqual([])
        yield* kill(second)
        yield* kill(first)
      }),
    { timeout: 120_000 },
  )

  it.effect(
    "that is broken off leaves it to the next owner to make the rollups right",
    () =>
      Effect.gen(function* () {
        const { expected, publish } = yield* Traffic
        const { startWriter, ledger } = yield* World
        yield* publish("b", 20)
        const began = yield* Deferred.make<void>()
        const broken = yield* maintaining(
          changing(
            DAY,
            spoil.pipe(Effect.andThen(Deferred.succeed(began, undefined)), Effect.andThen(Effect.never)),
          ),
        ).pipe(Effect.forkChild)
        yield* Deferred.await(began)
        yield* Fiber.interrupt(broken)
        expect(yield* expected.differences()).toHaveLength(1)
        yield* startWriter()
        yield* until(
          "nothing is unproved",
          Effect.map(ledger, (record) => record?.unproved === undefined),
        )
        expect(yield* expected.differences()).toEqual([])
      }),
    { timeout: 120_000 },
  )

  it.effect(
    "that does its work corrects the rollups of what it changed, and says of how many keys",
    () =>
      Effect.gen(function* () {
        const { expected, publish } = yield* Traffic
        const { startWriter, quiet, ledger } = yield* World
        yield* startWriter()
        const { keys } = yield* maintaining(changing(DAY, spoil))
        expect(keys).toBe(1)
        yield* publish("b", 20)
        yield* quiet
        expect(yield* ledger).not.toHaveProperty("unproved")
        expect(yield* expected.differences()).toEqual([])
      }),
    { timeout: 120_000 },
  )

  it.effect(
    "whose process is gone binds nobody beyond its time",
    () =>
      Effect.gen(function* () {
        const { expected, publish } = yield* Traffic
        const { startWriter, quiet, ledger } = yield* World
        const writer = yield* startWriter()
        yield* until("it owns", owns(writer))
        const { kv } = yield* Nats
        const bucket = yield* Effect.promise(() => kv.open(BUCKETS.ledger))
        const put = Effect.gen(function* () {
          const entry = yield* Effect.promise(() => bucket.get(STREAMS.actions))
          const barrier = { holder: "gone", why: "a test", until: Date.now() + 10_000 }
          const record = { ...entry?.json<LedgerRecord>(), barrier }
          yield* Effect.promise(() =>
            bucket.update(STREAMS.actions, JSON.stringify(record), entry?.revision ?? 0),
          )
        })
        // The owner writes the record, too.
        yield* put.pipe(Effect.sandbox, Effect.retry({ times: 50 }))
        yield* until(
          "the writer gave the partition back",
          Effect.map(ledger, (record) => record?.lease_until === 0),
        )
        yield* publish("c", 20)
        const before = yield* stored
        yield* Effect.sleep("1 second")
        expect(yield* stored).toBe(before)
        yield* quiet
        expect(yield* expected.differences()).toEqual([])
        expect(Exit.isSuccess(yield* Effect.exit(maintaining(Effect.void)))).toBe(true)
      }),
    { timeout: 120_000 },
  )
})
