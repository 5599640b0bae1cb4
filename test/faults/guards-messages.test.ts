import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import { ClickHouse } from "#clickhouse"
import { BUCKETS, STREAMS } from "#schemas/names.ts"
import { Nats } from "#nats/connection.ts"
import { deadLetters } from "./dead-letters.ts"
import { Traffic } from "./traffic.ts"
import { until } from "./until.ts"
import { World } from "./world.ts"
import { kill, metricOf } from "./writers.ts"

const GONE = "tidemark_messages_gone_total"

const gone = Effect.gen(function* () {
  const store = yield* ClickHouse
  return yield* store.query<{ from_seq: number; to_seq: number }>(
    "SELECT from_seq, to_seq FROM tidemark.data_quality WHERE kind = 'messages_gone' ORDER BY at",
  )
})

layer(Traffic.layer, { excludeTestServices: true, timeout: "120 seconds" })("a message that", (it) => {
  it.effect(
    "left the stream before it was stored is noted, and the writer goes on",
    () =>
      Effect.gen(function* () {
        const { manager } = yield* Nats
        const { expected, publish, make, send } = yield* Traffic
        const { startWriter, quiet, ledger } = yield* World
        const before = yield* startWriter()
        yield* publish("a", 20)
        yield* quiet
        yield* kill(before)
        // Messages 21 to 40, in doubt since the horizon reaches beyond them.
        expect((yield* ledger)?.horizon).toBeGreaterThan(50)
        for (const { message } of make("a", 20)) yield* send(message)
        yield* publish("a", 10)
        yield* Effect.promise(() => manager.streams.purge(STREAMS.actions, { seq: 41 }))

        const writer = yield* startWriter()
        yield* quiet
        expect(yield* expected.differences()).toEqual([])
        expect(yield* gone).toEqual([{ from_seq: 21, to_seq: 40 }])
        expect(yield* metricOf(writer, GONE)).toBe(20)
        yield* publish("a", 10)
        yield* quiet
        expect(yield* expected.differences()).toEqual([])
      }),
    { timeout: 120_000 },
  )

  it.effect(
    "was taken out of the middle is noted too, and the rollups follow what the store has of it",
    () =>
      Effect.gen(function* () {
        const store = yield* ClickHouse
        const { manager, kv } = yield* Nats
        const { expected, publish, make, send } = yield* Traffic
        const { startWriter, quiet, ledger } = yield* World
        const before = yield* startWriter()
        yield* quiet
        yield* kill(before, "SIGTERM")
        const record = yield* ledger
        const first = (record?.committed ?? 0) + 1
        const writer = yield* startWriter()
        yield* publish("b", 5)
        yield* publish("c", 1)
        yield* publish("b", 5)
        yield* quiet
        yield* kill(writer)

        // As if a crash had left the fourth to eighth in doubt: the sixth in raw and in no rollup, the eighth nowhere.
        for (const table of ["user_activity_15m", "user_activity_daily", "client_activity_15m"])
          yield* store.command(`ALTER TABLE tidemark.${table} DELETE WHERE tenant = 'c'`, {
            settings: { mutations_sync: "2" },
          })
        const [lost] = make("b", 1)
        if (lost !== undefined) yield* send(lost.message)
        yield* publish("b", 5)
        yield* Effect.promise(async () => {
          await (
            await kv.open(BUCKETS.ledger)
          ).put(STREAMS.actions, JSON.stringify({ ...record, horizon: first + 100 }))
          for (const seq of [first + 5, first + 11]) await manager.streams.deleteMessage(STREAMS.actions, seq)
        })
        // What is broken off and done again is counted once.
        yield* store.command("RENAME TABLE tidemark.data_quality TO tidemark.notes_away")
        const next = yield* startWriter()
        yield* until(
          "it cannot note it",
          Effect.sync(() => next.log().includes("ClickHouse: schema")),
        )
        yield* store.command("RENAME TABLE tidemark.notes_away TO tidemark.data_quality")
        yield* quiet
        expect(yield* expected.differences()).toEqual([])
        expect(yield* metricOf(next, GONE)).toBe(2)
        expect((yield* gone).at(-1)).toEqual({ from_seq: first + 5, to_seq: first + 11 })

        // What was known to be stored may leave at any time.
        yield* kill(next, "SIGTERM")
        yield* Effect.promise(() => manager.streams.deleteMessage(STREAMS.actions, first + 2))
        const last = yield* startWriter()
        yield* publish("b", 5)
        yield* quiet
        expect(yield* metricOf(last, GONE)).toBe(0)

        // Also when others, sent since, are stored beside it for the first time.
        yield* kill(last)
        yield* Effect.promise(() => manager.streams.deleteMessage(STREAMS.actions, first + 3))
        yield* publish("b", 5)
        const anew = yield* startWriter()
        yield* quiet
        expect(yield* metricOf(anew, "tidemark_rows_repaired_total")).toBe(5)
        expect(yield* metricOf(anew, GONE)).toBe(0)
        yield* publish("b", 5)
        yield* quiet

        // The very last ones, which nothing follows.
        yield* kill(anew)
        for (const { message } of make("b", 3)) yield* send(message)
        const end = (yield* Effect.promise(() => manager.streams.info(STREAMS.actions))).state.last_seq
        yield* Effect.promise(async () => {
          for (const seq of [end - 2, end - 1, end]) await manager.streams.deleteMessage(STREAMS.actions, seq)
        })
        const survivor = yield* startWriter()
        yield* quiet
        expect(yield* metricOf(survivor, GONE)).toBe(3)
        yield* publish("b", 5)
        yield* quiet
        expect(yield* expected.differences()).toEqual([])
      }),
    { timeout: 120_000 },
  )

  it.effect(
    "the store refuses is a dead letter, among others and alone; its neighbours are stored",
    () =>
      Effect.gen(function* () {
        const store = yield* ClickHouse
        const { expected, publish, make, send } = yield* Traffic
        const { startWriter, quiet } = yield* World
        yield* store.command("ALTER TABLE tidemark.actions ADD CONSTRAINT no_x CHECK page != 'x'")
        const writer = yield* startWriter()
        const refused = make("d", 3, { page: "x" })
        const [among, another, alone] = refused.map(({ message }) => message)
        if (among === undefined || another === undefined || alone === undefined) return
        yield* publish("d", 30)
        yield* send(among)
        yield* publish("d", 30)
        yield* send(another)
        yield* publish("e", 30)
        yield* quiet
        yield* send(alone)
        yield* quiet
        expect(yield* expected.differences()).toEqual([])
        const letters = yield* deadLetters
        expect(letters.map(({ reason }) => reason)).toEqual(Array(3).fill("rejected_by_store"))
        expect(letters.map(({ payload }) => payload.toString())).toEqual(
          [among, another, alone].map(({ payload }) => Buffer.from(payload).toString()),
        )

        // Proving them again after a restart makes no second dead letters.
        yield* kill(writer, "SIGTERM")
        const next = yield* startWriter()
        yield* publish("e", 10)
        yield* quiet
        expect(yield* expected.differences()).toEqual([])
        expect((yield* deadLetters).length).toBe(3)
        // The broker knows their ids for a day only.
        expect(
          yield* metricOf(next, 'tidemark_dead_letters_total{stream="ACTIONS",reason="rejected_by_store"}'),
        ).toBe(0)

        // What was stored the first time and is refused now has none.
        const [taken] = make("d", 1, { page: "y" })
        if (taken === undefined) throw new Error("no event")
        yield* send(taken.message)
        yield* quiet
        yield* kill(next, "SIGTERM")
        yield* store.command("ALTER TABLE tidemark.actions DELETE WHERE page = 'y'", {
          settings: { mutations_sync: "2" },
        })
        yield* store.command("ALTER TABLE tidemark.actions ADD CONSTRAINT no_y CHECK page != 'y'")
        yield* startWriter()
        yield* publish("e", 10)
        yield* quiet
        expect(yield* expected.differences()).toEqual([])
        expect((yield* deadLetters).at(-1)?.payload.toString()).toBe(
          Buffer.from(taken.message.payload).toString(),
        )
      }),
    { timeout: 120_000 },
  )
})
