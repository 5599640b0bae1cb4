// A rebuild that is broken off about its last step, and whoever owns the partition next.
import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import { ClickHouse, ClickHouseError } from "#clickhouse"
import type { LedgerRecord } from "#schemas/ledger.ts"
import { BUCKETS, REBUILD_DATABASE, STREAMS } from "#schemas/names.ts"
import { Nats } from "#nats/connection.ts"
import { rebuild } from "../../pipeline/rebuild/rebuild.ts"
import { Traffic } from "../faults/traffic.ts"
import { until } from "../faults/until.ts"
import { World } from "../faults/world.ts"
import { owns } from "../faults/writers.ts"
import { forgetBarrier, killWhen } from "./broken-off.ts"
import { asMaintainer, command, maintenance } from "./maintainer.ts"
import { DAILY, rebuilding, shadows, sumOf } from "./rebuilds.ts"

const lost = Effect.fail(new ClickHouseError({ reason: "unavailable", detail: "lost" }))

/** A rebuild that hears nothing of its exchange, which ran or did not, and that does nothing any more from then on. */
const breakingOff = (isExchanged: boolean) =>
  asMaintainer((zones) =>
    Effect.flatMap(ClickHouse, (store) =>
      rebuild(DAILY, { streams: [maintenance(20)], zones }).pipe(
        Effect.provideService(ClickHouse, {
          ...store,
          command: (statement, options) => {
            if (statement.startsWith("DROP")) return lost
            if (!statement.startsWith("EXCHANGE")) return store.command(statement, options)
            return isExchanged ? Effect.andThen(store.command(statement, options), lost) : lost
          },
        }),
      ),
    ),
  )

const ledgerNamesShadow = Effect.flatMap(World, ({ ledger }) =>
  Effect.map(ledger, (record) => record?.unproved?.shadow !== undefined),
)
/** The same at the moment when it does, however soon it does not any more. */
const toldOfShadow = Effect.flatMap(Nats, ({ kv }) =>
  Effect.promise(async () => {
    const changes = await (await kv.open(BUCKETS.ledger)).watch({ key: STREAMS.actions })
    for await (const change of changes)
      if (change.json<LedgerRecord>().unproved?.shadow !== undefined) return true
    return false
  }),
)
const takenOver = until(
  "the next owner settled",
  Effect.map(ledgerNamesShadow, (names) => !names),
  60,
)

/** The statement that the rebuild sent last, or would have. */
const exchangeLate = (shadow: string) =>
  Effect.flip(asMaintainer(() => command(`EXCHANGE TABLES ${REBUILD_DATABASE}.${shadow} AND ${DAILY.table}`)))

layer(Traffic.layer, { excludeTestServices: true, timeout: "120 seconds" })(
  "a rebuild that is broken off",
  (it) => {
    it.effect(
      "before the exchange leaves the old rollup, and a statement that comes late is refused",
      () =>
        Effect.gen(function* () {
          const { expected, publish } = yield* Traffic
          const { startWriter, quiet } = yield* World
          const writer = yield* startWriter({ BATCH_ROWS: "20" })
          yield* until("it owns", owns(writer))
          yield* publish("a", 60)
          yield* publish("c", 300)
          yield* quiet
          const right = yield* sumOf(DAILY.table, "a")
          yield* command(`INSERT INTO ${DAILY.table} SELECT * FROM ${DAILY.table} WHERE tenant = 'a'`)
          const exit = yield* Effect.exit(breakingOff(false))
          expect(exit._tag).toBe("Failure")
          const [left] = yield* shadows
          // The writer that waits for the partition takes it, and stores what came meanwhile.
          yield* publish("c", 100)
          yield* takenOver
          expect(yield* exchangeLate(left?.name ?? "")).toMatchObject({ reason: "schema" })
          expect(yield* shadows).toEqual([])
          yield* quiet
          expect(yield* sumOf(DAILY.table, "a")).toBe(2 * right)
          yield* rebuilding(DAILY)
          expect(yield* expected.differences()).toEqual([])
        }),
      { timeout: 90_000 },
    )

    it.effect(
      "after it leaves the new one, even when the store is killed before the old one is dropped",
      () =>
        Effect.gen(function* () {
          const { expected, publish } = yield* Traffic
          const { startWriter, quiet, store } = yield* World
          yield* startWriter({ BATCH_ROWS: "20" })
          yield* publish("b", 60)
          yield* publish("c", 300)
          yield* quiet
          const right = yield* sumOf(DAILY.table, "b")
          yield* command(`INSERT INTO ${DAILY.table} SELECT * FROM ${DAILY.table} WHERE tenant = 'b'`)
          const exit = yield* Effect.exit(breakingOff(true))
          expect(exit._tag).toBe("Failure")
          const [left] = yield* shadows
          yield* store.kill()
          yield* store.start
          expect(yield* sumOf(DAILY.table, "b")).toBe(right)
          yield* publish("c", 100)
          yield* takenOver
          // The same statement once more would put the old one back.
          expect(yield* exchangeLate(left?.name ?? "")).toMatchObject({ reason: "schema" })
          expect(yield* shadows).toEqual([])
          yield* quiet
          expect(yield* expected.differences()).toEqual([])
        }),
      { timeout: 90_000 },
    )

    it.effect(
      "by a kill about then leaves right numbers, and can be done again",
      () =>
        Effect.gen(function* () {
          const { expected, publish } = yield* Traffic
          const { startWriter, quiet } = yield* World
          yield* startWriter({ BATCH_ROWS: "20" })
          yield* publish("d", 100)
          yield* quiet
          const { out } = yield* killWhen(["rebuild", "--all"], "the ledger names a shadow", toldOfShadow)
          expect(out).toContain("is built")
          yield* publish("d", 100)
          yield* forgetBarrier
          yield* takenOver
          yield* quiet
          expect(yield* shadows).toEqual([])
          expect(yield* expected.differences()).toEqual([])
          yield* rebuilding(DAILY)
          expect(yield* expected.differences()).toEqual([])
        }),
      { timeout: 90_000 },
    )
  },
)
