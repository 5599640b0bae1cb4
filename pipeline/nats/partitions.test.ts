import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import { PARTITIONS_KEY } from "#schemas/ledger.ts"
import { BUCKETS } from "#schemas/names.ts"
import { idleSubject } from "#schemas/partitions.ts"
import { ledgerRecord } from "../../test/ledger-record.ts"
import { OwnBroker } from "../../test/own-broker.ts"
import { addActionStreams, arrangeActionStreams, type TopologyOptions } from "./action-streams.ts"
import { Nats } from "./connection.ts"
import {
  partitionsInForce,
  readArrangement,
  recordedPartitions,
  recordFirstPartitions,
  recordPartitions,
} from "./partitions.ts"
import { ensureTopology } from "./topology.ts"

const OPTIONS: TopologyOptions = {
  duplicateWindow: 120_000,
  actionsMaxAge: 86_400_000,
  replicas: 1,
  partitions: 1,
}

const inLedger = (
  write: (ledger: { put(key: string, value: string): Promise<number> }) => Promise<unknown>,
) => Effect.flatMap(Nats, ({ kv }) => Effect.promise(async () => write(await kv.open(BUCKETS.ledger))))

const loseRecord = Effect.flatMap(Nats, ({ kv }) =>
  Effect.promise(async () => (await kv.open(BUCKETS.ledger)).purge(PARTITIONS_KEY)),
)

const record = (partitions: number) =>
  Effect.flatMap(recordedPartitions, ({ revision }) => recordPartitions(partitions, revision))

const ledgerAt = (stream: string, partitions: number) =>
  inLedger((ledger) => ledger.put(stream, JSON.stringify(ledgerRecord(stream, { partitions }))))

layer(OwnBroker.layer, { excludeTestServices: true })("the number of partitions in force", (it) => {
  it.effect("is what a first process wants, and then what it made", () =>
    Effect.gen(function* () {
      expect(yield* ensureTopology(OPTIONS)).toBe(1)
      expect(yield* ensureTopology({ ...OPTIONS, partitions: 4 })).toBe(1)
    }),
  )

  it.effect("is what the streams are arranged for where its record was lost, with one left behind", () =>
    Effect.gen(function* () {
      yield* addActionStreams(OPTIONS, 4)
      yield* arrangeActionStreams(4)
      yield* loseRecord
      expect(yield* partitionsInForce).toBe(4)
      yield* loseRecord
      expect(yield* ensureTopology({ ...OPTIONS, partitions: 2 })).toBe(4)
      expect(yield* recordedPartitions).toMatchObject({ partitions: 4 })
    }),
  )

  it.effect("is written down again in place of one that was lost", () =>
    Effect.gen(function* () {
      yield* loseRecord
      expect(yield* readArrangement).toEqual({
        partitions: 4,
        changingTo: undefined,
        isIdle: false,
        isRecorded: false,
      })
      yield* recordFirstPartitions(4)
      expect(yield* readArrangement).toEqual({
        partitions: 4,
        changingTo: undefined,
        isIdle: false,
        isRecorded: true,
      })
    }),
  )

  it.effect("is the old one until a change is over, and the streams say to what it changes", () =>
    Effect.gen(function* () {
      yield* arrangeActionStreams(2)
      expect(yield* readArrangement).toEqual({
        partitions: 4,
        changingTo: 2,
        isIdle: false,
        isRecorded: true,
      })
      // As well where the record is lost: the ledgers have the old one.
      yield* ledgerAt("ACTIONS", 4)
      yield* ledgerAt("ACTIONS_0", 4)
      yield* loseRecord
      expect(yield* readArrangement).toEqual({
        partitions: 4,
        changingTo: 2,
        isIdle: false,
        isRecorded: false,
      })
    }),
  )

  it.effect(
    "may be older than the streams, in a ledger that was put back, and no stream is made for it",
    () =>
      Effect.gen(function* () {
        const { manager } = yield* Nats
        yield* Effect.promise(() => manager.streams.delete("ACTIONS"))
        yield* record(1)
        expect(yield* ensureTopology(OPTIONS)).toBe(1)
        expect(yield* readArrangement).toEqual({
          partitions: 1,
          changingTo: 2,
          isIdle: false,
          isRecorded: true,
        })
      }),
  )

  it.effect("is being changed where its streams take nothing", () =>
    Effect.gen(function* () {
      const { manager } = yield* Nats
      yield* Effect.promise(() =>
        manager.streams.update("ACTIONS_0", { subjects: [idleSubject("ACTIONS_0")] }),
      )
      expect(yield* readArrangement).toMatchObject({ changingTo: undefined, isIdle: true })
    }),
  )
})
