import { DiscardPolicy, RetentionPolicy, StorageType } from "@nats-io/jetstream"
import { Objm } from "@nats-io/obj"
import { Effect } from "effect"
import { BUCKETS, EXPORT_FILES, STREAMS, SUBJECTS } from "#schemas/names.ts"
import { attemptNats, Nats, type NatsError } from "./connection.ts"
import { ensureActionStreams, type TopologyOptions } from "./action-streams.ts"
import { ensureStream, type TopologyError, type Wanted } from "./ensure-stream.ts"
import { readArrangement, recordFirstPartitions } from "./partitions.ts"

const NANOS = 1_000_000
const HOUR = 3_600_000
const DAY = 24 * HOUR
/** Three years. */
const AUDIT_DAYS = 1096
const DEAD_LETTER_DAYS = 90

/** How long what lies in a bucket is kept, where that is not for ever. */
const TTL: ReadonlyMap<string, number> = new Map([
  // A fate is younger than its letter, so it is there for as long as the letter.
  [BUCKETS.deadLetters, DEAD_LETTER_DAYS * DAY],
  // Each process has a key of its own, said again every few seconds; those that ended are not to be read for ever.
  [BUCKETS.writers, HOUR],
])

const streamsOf = (options: TopologyOptions): ReadonlyArray<Wanted> => {
  const common = {
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.Old,
    num_replicas: options.replicas,
  }
  return [
    {
      ...common,
      name: STREAMS.directory,
      subjects: [`${SUBJECTS.directory}.>`],
      max_age: 0,
      max_msg_size: 256 * 1024,
      duplicate_window: options.duplicateWindow * NANOS,
    },
    {
      ...common,
      name: STREAMS.deadLetters,
      subjects: [`${SUBJECTS.deadLetters}.>`],
      max_age: DEAD_LETTER_DAYS * DAY * NANOS,
      max_msg_size: 512 * 1024,
      // A message that is judged again after a crash makes no second dead letter for a day.
      duplicate_window: DAY * NANOS,
    },
    {
      ...common,
      name: STREAMS.audit,
      subjects: [`${SUBJECTS.audit}.>`],
      // As long as the store keeps what is made of it.
      max_age: AUDIT_DAYS * DAY * NANOS,
      max_msg_size: 512 * 1024,
      duplicate_window: options.duplicateWindow * NANOS,
    },
    {
      ...common,
      name: STREAMS.exports,
      subjects: [`${SUBJECTS.exports}.*`],
      // A job stays until a worker has acknowledged its end.
      retention: RetentionPolicy.Workqueue,
      max_age: 0,
      max_msg_size: 4 * 1024,
      duplicate_window: 2 * 60_000 * NANOS,
    },
  ]
}

/**
 * Creates the streams and buckets that are missing; safe to run again and at once. Streams that exist are changed for
 * the writer alone, whose reckoning rests on their settings: another process may have been given others. Gives the number of
 * partitions in force, which changing is an affair of its own (pipeline/partitions/change.ts).
 */
export const ensureTopology = Effect.fn("ensureTopology")(function* (
  options: TopologyOptions,
  mayChange = true,
): Effect.fn.Return<number, NatsError | TopologyError, Nats> {
  const { jetstream, kv } = yield* Nats
  for (const stream of streamsOf(options)) yield* ensureStream(stream, mayChange)
  for (const bucket of Object.values(BUCKETS)) {
    const ttl = TTL.get(bucket)
    yield* attemptNats(`create bucket ${bucket}`, () =>
      kv.create(bucket, { history: 1, replicas: options.replicas, ...(ttl === undefined ? {} : { ttl }) }),
    )
  }
  yield* attemptNats(`create object store ${EXPORT_FILES}`, () =>
    new Objm(jetstream).create(EXPORT_FILES, { replicas: options.replicas, storage: StorageType.File }),
  )
  const { partitions = options.partitions, changingTo } = yield* readArrangement
  // Streams of another number would take what these take.
  yield* ensureActionStreams(options, changingTo ?? partitions, mayChange)
  if (mayChange && changingTo === undefined) yield* recordFirstPartitions(partitions)
  return partitions
})
