// A change of the number of partitions is broken off when the broker knows of it and the ledger does not, and a writer of the
// number before lives: nothing is lost, and it comes to an end.
import { expect, layer } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { ClickHouse } from "#clickhouse"
import type { LedgerRecord } from "#schemas/ledger.ts"
import { BUCKETS, TABLES } from "#schemas/names.ts"
import { actionStreamOf, mappedSubject, subjectsOf } from "#schemas/partitions.ts"
import { arrangeActionStreams, findMisarranged } from "#nats/action-streams.ts"
import { Nats } from "#nats/connection.ts"
import { announce, takeLeave } from "../../pipeline/partitions/presence.ts"
import { allQuiet, mapTo, untilShared } from "./partitions-world.ts"
import { TENANTS, Traffic } from "./traffic.ts"
import { until } from "./until.ts"
import { World } from "./world.ts"
import { hasEnded, kill, owns } from "./writers.ts"

const DAY = 86_400_000
/** One that takes for another, too, as the streams of no number do. */
const ODD = "ACTIONS_1"
const areIn = (stream: string) => TENANTS.filter((tenant) => actionStreamOf(tenant, 4) === stream)
const [stays = "a"] = areIn(ODD)
const [moves = "a"] = areIn("ACTIONS_2")

layer(Traffic.layerOf({ partitions: 4, window: 600_000 }), {
  excludeTestServices: true,
  timeout: "60 seconds",
})("a change that was broken off", (it) => {
  it.effect(
    "is taken back by a writer of the number before when nobody is about it, and else ended at once",
    () =>
      Effect.gen(function* () {
        const { expected, publish } = yield* Traffic
        const { startWriter } = yield* World
        // So long that one that waits is never taken for dead.
        const lease = { WRITER_LEASE: "6s" }
        const old = yield* startWriter(lease)
        yield* untilShared([old], [4])
        const { manager } = yield* Nats
        const asTheyWere = until(
          "the streams as they were",
          Effect.map(findMisarranged(4), (streams) => streams.length === 0),
        )
        yield* Effect.promise(() => manager.streams.update("ACTIONS_0", { subjects: ["idle.v1.ACTIONS_0"] }))
        yield* asTheyWere
        yield* untilShared([old], [4])
        yield* arrangeActionStreams(2)
        yield* asTheyWere
        yield* untilShared([old], [4])

        // Another process is about to end it, and both live.
        yield* announce({ writer: "died", partitions: 2, until: Date.now() + 600_000 })
        yield* arrangeActionStreams(2)
        yield* mapTo(2)
        for (const tenant of TENANTS) yield* publish(tenant, 20, { time: Date.now() })
        yield* until(
          "the one of before to wait",
          Effect.sync(() => old.log().includes("waits for writers of another number of partitions")),
        )
        const two = yield* startWriter({ TIDEMARK_PARTITIONS: "2", ...lease })
        yield* until("one of the next number that owns", owns(two))
        yield* until(
          "the one of before has ended",
          Effect.sync(() => hasEnded(old)),
        )
        expect(old.log()).toContain("the number of partitions is 2, and this process was started with 4")
        yield* allQuiet
        expect(yield* expected.differences()).toEqual([])
        yield* kill(two)
        yield* takeLeave("died")
      }),
    240_000,
  )

  it.effect(
    "commits nothing that would be sent on into the stream that holds it",
    () =>
      Effect.gen(function* () {
        const { expected, publish } = yield* Traffic
        const { startWriter } = yield* World
        const { manager } = yield* Nats
        const old = yield* startWriter()
        yield* untilShared([old], [4])
        yield* mapTo(4)
        yield* Effect.tryPromise(async () => {
          await manager.streams.update("ACTIONS_2", { subjects: ["idle.v1.ACTIONS_2"] })
          await manager.streams.update(ODD, { subjects: [...subjectsOf(ODD, 4), "partition.2.>"] })
        }).pipe(
          // While it reads its configuration again, the broker may say that it has no JetStream.
          Effect.retry(Schedule.spaced("250 millis").pipe(Schedule.upTo({ times: 20 }))),
        )
        yield* publish(moves, 100, { time: Date.now() })
        yield* until(
          "what is sent on to be refused",
          Effect.sync(() => old.log().includes(`${ODD} took what is for`)),
        )
        // More than whoever owns the stream next proves again.
        yield* publish(stays, 2000, { time: Date.now() })
        yield* kill(old)
        const two = yield* startWriter({ TIDEMARK_PARTITIONS: "2" })
        yield* until("one of the next number that owns", owns(two))
        yield* allQuiet
        expect(yield* expected.differences()).toEqual([])
      }),
    240_000,
  )

  it.effect(
    "while it stored what was another stream's is begun anew, since nobody else would make its rollups right",
    () =>
      Effect.gen(function* () {
        const { expected, make, publish, send } = yield* Traffic
        const { startWriter } = yield* World
        const { manager, kv } = yield* Nats
        const store = yield* ClickHouse
        const startTwo = startWriter({ TIDEMARK_PARTITIONS: "2" })
        const two = yield* startTwo
        yield* until("one that owns", owns(two))
        yield* mapTo(2)
        const tenant = TENANTS.find((name) => actionStreamOf(name, 2) === "ACTIONS_0") ?? "a"
        const day = Date.now() - 5 * DAY
        for (const { sent, message } of make(tenant, 20, { time: day })) {
          expected.add(sent)
          yield* send({ ...message, subject: mappedSubject(1, message.subject) })
        }
        yield* allQuiet
        // More than its owner proves again.
        yield* publish(tenant, 2000, { time: Date.now() })
        yield* allQuiet
        yield* kill(two)
        expect(yield* expected.differences()).toEqual([])

        const ledger = yield* Effect.promise(() => kv.open(BUCKETS.ledger))
        const recordOf = (stream: string) =>
          Effect.promise(async () => (await ledger.get(stream))?.json<LedgerRecord>())
        const four = yield* startWriter({ TIDEMARK_PARTITIONS: "4" })
        yield* until(
          "a change that drains",
          Effect.map(recordOf("ACTIONS_0"), (record) => record?.partitions === 0),
        )
        yield* kill(four)
        const { state } = yield* Effect.promise(() => manager.streams.info(ODD))
        const record = yield* recordOf(ODD)
        const before = { committed: state.last_seq - 20, committed_id: "", committed_at: 0, lease_until: 0 }
        yield* Effect.promise(() =>
          ledger.put(ODD, JSON.stringify({ ...record, ...before, horizon: state.last_seq })),
        )
        yield* store.command(
          `ALTER TABLE ${TABLES.activity15m} DELETE WHERE tenant = {tenant:String} AND toDate(quarter) = {day:Date}`,
          {
            params: { tenant, day: new Date(day).toISOString().slice(0, 10) },
            settings: { mutations_sync: "2" },
          },
        )
        yield* until("the next one owns", owns(yield* startTwo))
        yield* allQuiet
        expect(yield* expected.differences()).toEqual([])
      }),
    240_000,
  )
})
