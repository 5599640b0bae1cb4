import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import { ClickHouse } from "#clickhouse"
import type { LedgerRecord } from "#schemas/ledger.ts"
import { BUCKETS, STREAMS } from "#schemas/names.ts"
import { Nats } from "#nats/connection.ts"
import { deadLetters } from "./dead-letters.ts"
import { Traffic } from "./traffic.ts"
import { until } from "./until.ts"
import { World } from "./world.ts"
import { kill, owns, standsBy } from "./writers.ts"

const bucket = Effect.flatMap(Nats, ({ kv }) => Effect.promise(() => kv.open(BUCKETS.ledger)))

const loseLedger = Effect.flatMap(bucket, (kv) => Effect.promise(() => kv.purge(STREAMS.actions)))

const putLedger = (record: LedgerRecord | undefined) =>
  Effect.flatMap(bucket, (kv) => Effect.promise(() => kv.put(STREAMS.actions, JSON.stringify(record))))

/** The ledger's record fits. */
const ledgerIs = (what: string, fits: (record: LedgerRecord | undefined) => boolean) =>
  Effect.flatMap(World, ({ ledger }) => until(what, Effect.map(ledger, fits)))

layer(Traffic.layer, { excludeTestServices: true, timeout: "120 seconds" })("the ledger", (it) => {
  it.effect(
    "lost while its owner is stopped: nobody writes before that one's lease is over",
    () =>
      Effect.gen(function* () {
        const { expected, publish } = yield* Traffic
        const { startWriter, quiet } = yield* World
        const store = yield* ClickHouse
        const first = yield* startWriter({ WRITER_LEASE: "6s", BATCH_ROWS: "10" })
        yield* until("the first owns", owns(first))
        const second = yield* startWriter({ WRITER_LEASE: "6s" })
        yield* until("the second stands by", standsBy(second))
        yield* publish("a", 20)
        yield* quiet
        first.process.kill("SIGSTOP")
        yield* loseLedger
        // They wait in the stopped writer's socket, whose lease goes on for a while.
        yield* publish("a", 40, { time: Date.now() })
        yield* until("the second owns", owns(second))
        yield* quiet
        first.process.kill("SIGCONT")
        yield* until("the first stands by", standsBy(first))
        yield* publish("a", 20, { time: Date.now() })
        yield* quiet
        expect(yield* expected.differences()).toEqual([])
        expect(yield* deadLetters).toEqual([])
        expect(yield* store.query("SELECT kind, generation FROM tidemark.data_quality ORDER BY at")).toEqual([
          { kind: "new_generation", generation: 2 },
        ])
      }),
    { timeout: 90_000 },
  )

  it.effect(
    "has one owner of two writers; the other takes over within seconds",
    () =>
      Effect.gen(function* () {
        const { expected, publish } = yield* Traffic
        const { startWriter, quiet } = yield* World
        const both = yield* Effect.all([startWriter(), startWriter()], { concurrency: "unbounded" })
        yield* until(
          "one owns",
          Effect.map(Effect.all(both.map(owns)), (own) => own.includes(true)),
        )
        const isFirst = yield* owns(both[0])
        const [owner, standby] = isFirst ? both : [both[1], both[0]]
        yield* until("the other stands by", standsBy(standby))
        yield* publish("d", 100)
        yield* quiet
        expect([yield* owns(owner), yield* owns(standby)]).toEqual([true, false])
        yield* publish("d", 100)
        yield* kill(owner)
        const killedAt = Date.now()
        yield* until("the other owns", owns(standby))
        expect(Date.now() - killedAt).toBeLessThan(8000)
        yield* publish("d", 100)
        yield* quiet
        expect(yield* expected.differences()).toEqual([])
        yield* kill(standby, "SIGTERM")
      }),
    { timeout: 120_000 },
  )

  it.effect(
    "put back to an older record: everything after it is proved",
    () =>
      Effect.gen(function* () {
        const { expected, publish } = yield* Traffic
        const { startWriter, quiet, ledger } = yield* World
        const before = yield* startWriter()
        yield* quiet
        yield* kill(before, "SIGTERM")
        const older = yield* ledger
        expect(older?.horizon).toBe(older?.committed)
        const writer = yield* startWriter()
        yield* publish("b", 600, { time: Date.now() })
        yield* quiet
        yield* kill(writer, "SIGTERM")
        yield* putLedger(older)
        yield* startWriter()
        yield* publish("b", 10, { time: Date.now() })
        yield* quiet
        expect(yield* expected.differences()).toEqual([])
        expect((yield* ledger)?.generation).toBe(older?.generation)
      }),
    { timeout: 120_000 },
  )

  it.effect(
    "with another time of the stream's creation, as a cluster may say it, is of the same stream",
    () =>
      Effect.gen(function* () {
        const { expected, publish } = yield* Traffic
        const { startWriter, quiet, ledger } = yield* World
        const before = yield* startWriter()
        yield* publish("e", 10)
        yield* quiet
        yield* kill(before, "SIGTERM")
        const record = yield* ledger
        if (record === undefined) throw new Error("there is a record")
        yield* putLedger({ ...record, created: "2026-01-01T00:00:00Z" })
        yield* startWriter()
        yield* ledgerIs("the time that the server says", (found) => found?.created === record.created)
        yield* publish("e", 10)
        yield* quiet
        expect(yield* expected.differences()).toEqual([])
        expect((yield* ledger)?.generation).toBe(record.generation)
      }),
    { timeout: 120_000 },
  )

  it.effect(
    "notes a change of the duplicate window and looks everything up until the longer one has passed",
    () =>
      Effect.gen(function* () {
        const { expected, publish } = yield* Traffic
        const { startWriter, quiet, ledger } = yield* World
        const before = yield* startWriter()
        yield* quiet
        yield* kill(before, "SIGTERM")
        expect((yield* ledger)?.look_up_all_until).toBeLessThan(Date.now())
        const began = Date.now()
        yield* startWriter({ DUPLICATE_WINDOW: "60s" })
        yield* ledgerIs("the new window", (record) => record?.duplicate_window === 60_000)
        expect((yield* ledger)?.look_up_all_until).toBeGreaterThanOrEqual(began + 61_000)
        expect((yield* ledger)?.look_up_all_until).toBeLessThanOrEqual(Date.now() + 61_000)
        yield* publish("c", 50)
        yield* quiet
        expect(yield* expected.differences()).toEqual([])
      }),
    { timeout: 120_000 },
  )
})
