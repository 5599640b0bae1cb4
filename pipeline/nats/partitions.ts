import { Effect, Option, Schema } from "effect"
import { PARTITIONS_KEY, PartitionsRecord } from "#schemas/ledger.ts"
import { BUCKETS, STREAMS } from "#schemas/names.ts"
import { isActionStream } from "#schemas/partitions.ts"
import { attemptNats, Nats, type NatsError } from "./connection.ts"
import { findStream } from "./ensure-stream.ts"

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

/**
 * The number of partitions in force, whatever a process was started with. Where nobody wrote it down there is one when its
 * stream is there, else as many as `wanted`.
 */
export const partitionsInForce = Effect.fn("partitionsInForce")(function* (
  wanted: number,
): Effect.fn.Return<number, NatsError, Nats> {
  const { partitions: known } = yield* recordedPartitions
  if (known !== undefined) return known
  return (yield* findStream(STREAMS.actions)) === undefined ? wanted : 1
})

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

/** Writes it down where nobody has yet. */
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
