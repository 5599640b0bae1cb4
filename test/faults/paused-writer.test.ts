import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import { ClickHouse } from "#clickhouse"
import type { LedgerRecord } from "#schemas/ledger.ts"
import { deadLetters } from "./dead-letters.ts"
import { Traffic } from "./traffic.ts"
import { until } from "./until.ts"
import { World } from "./world.ts"
import { owns, standsBy } from "./writers.ts"

/** An owner, and a writer that waits for its lease to end. */
const twoWriters = Effect.gen(function* () {
  const { startWriter } = yield* World
  // A batch is cut as soon as ten messages are there, so that a woken writer inserts at once.
  const first = yield* startWriter({ BATCH_ROWS: "10" })
  yield* until("the first owns", owns(first))
  const second = yield* startWriter()
  yield* until("the second stands by", standsBy(second))
  return [first, second] as const
})

/** A statement of a writer is under way in the store. */
const isWriting = Effect.gen(function* () {
  const { clickhouseUrl } = yield* World
  return yield* Effect.gen(function* () {
    const store = yield* ClickHouse
    const rows = yield* store.query<{ running: number }>(
      "SELECT count() AS running FROM system.processes WHERE startsWith(query_id, 'tidemark-writer-')",
    )
    return (rows[0]?.running ?? 0) > 0
  }).pipe(Effect.provide(ClickHouse.layer({ url: clickhouseUrl, user: "tidemark_writer", password: "" })))
})

layer(Traffic.layer, { excludeTestServices: true, timeout: "120 seconds" })(
  "a writer that is stopped",
  (it) => {
    it.effect(
      "in the middle of an insert is replaced, and doubles nothing when it is woken",
      () =>
        Effect.gen(function* () {
          const store = yield* ClickHouse
          const { expected, publish } = yield* Traffic
          const { quiet, ledger } = yield* World
          const [first, second] = yield* twoWriters
          yield* publish("a", 20)
          yield* quiet
          yield* store.command("CREATE TABLE tidemark.slept (n UInt8) ENGINE = Null")
          yield* store.command(
            `CREATE MATERIALIZED VIEW tidemark.sleeper TO tidemark.slept AS
           SELECT sleepEachRow(0.25) AS n FROM tidemark.actions WHERE page = 'slow'`,
          )

          yield* publish("a", 10, { page: "slow" })
          yield* until("an insert under way", isWriting)
          first.process.kill("SIGSTOP")
          expect(yield* isWriting).toBe(true)
          const stoppedAt = Date.now()
          yield* until("the second owns", owns(second))
          expect(Date.now() - stoppedAt).toBeLessThan(10_000)
          yield* publish("a", 20)
          yield* publish("b", 20)
          yield* quiet
          expect(yield* expected.differences()).toEqual([])
          yield* store.command("DROP TABLE tidemark.sleeper")

          const record = yield* ledger
          first.process.kill("SIGCONT")
          yield* until("the first stands by", standsBy(first))
          yield* publish("a", 30)
          yield* publish("b", 30)
          yield* quiet
          expect(yield* expected.differences()).toEqual([])
          expect(yield* deadLetters).toEqual([])
          expect(yield* ledger).toMatchObject({ owner: record?.owner, epoch: record?.epoch })
          expect([yield* owns(first), yield* owns(second)]).toEqual([false, true])
        }),
      { timeout: 120_000 },
    )

    it.effect(
      "between inserts, with messages that reach it meanwhile, stores none of them when it is woken",
      () =>
        Effect.gen(function* () {
          const { expected, publish } = yield* Traffic
          const { quiet, ledger } = yield* World
          let [owner, standby] = yield* twoWriters
          let record: LedgerRecord | undefined
          // Woken, it may look at its lease before it inserts; then it is stopped again.
          for (let tries = 1; ; tries++) {
            // Raises the horizon, so that the next batches are not stopped by the ledger.
            yield* publish("c", 20)
            yield* quiet
            owner.process.kill("SIGSTOP")
            // Fresh, so that they are not looked up either.
            yield* publish("c", 40, { time: Date.now() })
            yield* until("the other owns", owns(standby))
            yield* quiet
            expect(yield* expected.differences()).toEqual([])

            record = yield* ledger
            owner.process.kill("SIGCONT")
            yield* until("the woken one stands by", standsBy(owner))
            // It tried; the store's clock refused it.
            if (owner.log().includes("deadline passed")) break
            expect(tries).toBeLessThan(5)
            ;[owner, standby] = [standby, owner]
          }
          yield* publish("c", 40)
          yield* quiet
          expect(yield* expected.differences()).toEqual([])
          expect(yield* deadLetters).toEqual([])
          expect(yield* ledger).toMatchObject({ owner: record?.owner, epoch: record?.epoch })
        }),
      { timeout: 120_000 },
    )
  },
)
