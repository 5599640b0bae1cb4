import { Effect, Option, Schema } from "effect"
import { PARTITIONS_KEY, PartitionsRecord } from "#schemas/ledger.ts"
import { BUCKETS } from "#schemas/names.ts"
import { actionStreams, idleSubject, isActionStream, partitionsOf } from "#schemas/partitions.ts"
import { attemptNats, Nats, type NatsError } from "./connection.ts"
import { findStream } from "./ensure-stream.ts"
import { ledgerRecordOf } from "./ledger-entry.ts"

const codec = Schema.fromJsonString(PartitionsRecord)
const read = Schema.decodeUnknownOption(codec)

const bucket = Effect.flatMap(Nats, ({ kv }) =>
  attemptNats("open bucket ledger", () => kv.open(BUCKETS.ledger)),
)

/** The number that was written down, if any, and the revision that another one takes the place of. */
export const recordedPartitions = Effect.gen(function* () {
  const ledger = yield* bucket
  const entry = yield* attemptNats("read the number of partitions", () => ledger.get(PARTITIONS_KEY))
  const record = entry?.operation === "PUT" ? Option.getOrUndefined(read(entry.string())) : undefined
  return { partitions: record?.partitions, revision: entry?.revision ?? 0 }
})

/** One of them takes what no partition does, so what it takes says how many there are. */
const FIRST_STREAMS = [...actionStreams(1), ...actionStreams(2).slice(0, 1)]

/** For how many the broker's streams are arranged, and whether they take nothing though they are there. */
const lookAtStreams = Effect.gen(function* () {
  const found = yield* Effect.forEach(FIRST_STREAMS, findStream, { concurrency: "unbounded" })
  const streams = found.flatMap((stream) => (stream === undefined ? [] : [stream.config]))
  return {
    taken: streams.flatMap(({ name, subjects }) => partitionsOf(name, subjects) ?? [])[0],
    isIdle:
      streams.length > 0 &&
      streams.every(({ name, subjects }) => subjects.every((subject) => subject === idleSubject(name))),
  }
})

/** The numbers that the ledgers were written at; those of a change that is under way say none. */
const ledgerPartitions = Effect.gen(function* () {
  const ledger = yield* bucket
  const entries = yield* attemptNats("read the ledgers", () =>
    Promise.all(FIRST_STREAMS.map((stream) => ledger.get(stream))),
  )
  return entries.flatMap((entry) => {
    const record = ledgerRecordOf(entry)
    const { partitions = 1 } = record ?? { partitions: 0 }
    return partitions === 0 ? [] : [partitions]
  })
})

/** How the actions are spread over streams. */
export interface Arrangement {
  /** The number in force: undefined while there is none. */
  readonly partitions: number | undefined
  /**
   * What the broker's streams are arranged for, where that is another number: a change is under way or was broken off, or
   * the ledger is older than the last one.
   */
  readonly changingTo: number | undefined
  /** The streams are there and take nothing: a change is, or was broken off, where the old ones take no more, the new ones not yet. */
  readonly isIdle: boolean
  /** Whether the number is written down. */
  readonly isRecorded: boolean
}

/**
 * How the actions are spread, whatever a process was started with. Where nobody wrote it down, or that was lost, ledgers and
 * streams say it.
 */
export const readArrangement: Effect.Effect<Arrangement, NatsError, Nats> = Effect.gen(function* () {
  const [recorded, { taken, isIdle }] = yield* Effect.all([recordedPartitions, lookAtStreams], {
    concurrency: "unbounded",
  })
  const known =
    recorded.partitions ?? (yield* ledgerPartitions).find((partitions) => partitions !== taken) ?? taken
  return {
    partitions: known,
    changingTo: taken === known ? undefined : taken,
    isIdle,
    isRecorded: recorded.partitions !== undefined,
  }
})

/** The number of partitions in force. Where there are no streams yet a tenant's would be the one. */
export const partitionsInForce = Effect.map(readArrangement, ({ partitions = 1 }) => partitions)

/** Writes the number down, unless somebody else has since the revision was read. */
export const recordPartitions = Effect.fn("recordPartitions")(function* (
  partitions: number,
  revision: number,
) {
  const ledger = yield* bucket
  const record: PartitionsRecord = { partitions, since: new Date().toISOString() }
  yield* attemptNats("write the number of partitions", () =>
    revision === 0
      ? ledger.create(PARTITIONS_KEY, JSON.stringify(record))
      : ledger.update(PARTITIONS_KEY, JSON.stringify(record), revision),
  )
})

/** Writes it down where nobody has yet, or where it was lost. */
export const recordFirstPartitions = Effect.fn("recordFirstPartitions")(function* (partitions: number) {
  const { partitions: known, revision } = yield* recordedPartitions
  if (known !== undefined) return
  yield* recordPartitions(partitions, revision).pipe(
    // Another process that starts may have been faster.
    Effect.catch((error) =>
      Effect.flatMap(recordedPartitions, ({ partitions: theirs }) =>
        theirs === partitions ? Effect.void : Effect.fail(error),
      ),
    ),
  )
})

/** The streams of actions that there are, those of another number of partitions too, by their names. */
export const findActionStreams = Effect.fn("findActionStreams")(function* (): Effect.fn.Return<
  ReadonlyArray<string>,
  NatsError,
  Nats
> {
  const { manager } = yield* Nats
  return yield* attemptNats("list the streams", async () => {
    const found: Array<string> = []
    for await (const name of manager.streams.names()) if (isActionStream(name)) found.push(name)
    return found.toSorted()
  })
})
