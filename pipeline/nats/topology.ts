import {
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from "@nats-io/jetstream"
import { Objm } from "@nats-io/obj"
import { Effect, Schema } from "effect"
import { BUCKETS, EXPORT_FILES, STREAMS, SUBJECTS } from "#schemas/names.ts"
import { attemptNats, Nats, type NatsError } from "./connection.ts"

/** What an operator may choose about the streams. Durations in milliseconds. */
export interface TopologyOptions {
  /** The broker drops a repeat of a message id within it. */
  readonly duplicateWindow: number
  /** How long the replay log of actions is kept. */
  readonly actionsMaxAge: number
  readonly replicas: number
}

/** A stream exists and differs in a way that would lose messages, or that the server cannot change. */
export class TopologyError extends Schema.TaggedError<TopologyError>()("TopologyError", {
  stream: Schema.String,
  differences: Schema.Array(Schema.String),
}) {
  override get message(): string {
    return `stream ${this.stream} exists and differs: ${this.differences.join("; ")}. Change the setting back, or change the stream by hand once you know that nothing is lost.`
  }
}

const NANOS = 1_000_000
const DAY = 86_400_000
/** Three years. */
const AUDIT_DAYS = 1096
const DEAD_LETTER_DAYS = 90

type Wanted = Pick<
  StreamConfig,
  | "name"
  | "subjects"
  | "retention"
  | "storage"
  | "discard"
  | "max_age"
  | "max_msg_size"
  | "duplicate_window"
  | "num_replicas"
>

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
      name: STREAMS.actions,
      // All of actions.v1, so that a subject of another form is seen and dead-lettered.
      subjects: [`${SUBJECTS.actions}.>`],
      max_age: options.actionsMaxAge * NANOS,
      // Well above an event's limit, so that what is too large is dead-lettered rather than lost at the producer.
      max_msg_size: 256 * 1024,
      duplicate_window: options.duplicateWindow * NANOS,
    },
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

/** Differences that the server refuses to change, or whose change would drop messages. */
const destructive = (have: StreamConfig, want: Wanted): ReadonlyArray<string> => {
  const differences: Array<string> = []
  if (have.storage !== want.storage) differences.push(`storage is ${have.storage}, not ${want.storage}`)
  if (have.retention !== want.retention)
    differences.push(`retention is ${have.retention}, not ${want.retention}`)
  const missing = have.subjects.filter((subject) => !want.subjects.includes(subject))
  if (missing.length > 0) differences.push(`it also takes ${missing.join(", ")}`)
  if (want.max_age !== 0 && (have.max_age === 0 || have.max_age > want.max_age))
    differences.push(
      `max_age would shrink from ${have.max_age === 0 ? "unlimited" : `${have.max_age / NANOS / 1000} s`} to ${want.max_age / NANOS / 1000} s and drop messages`,
    )
  return differences
}

const KEYS = ["subjects", "discard", "max_age", "max_msg_size", "duplicate_window", "num_replicas"] as const

const isSame = (have: StreamConfig, want: Wanted): boolean =>
  KEYS.every((key) => JSON.stringify(have[key]) === JSON.stringify(want[key]))

const ensureStream = (want: Wanted, mayChange: boolean) =>
  Effect.gen(function* () {
    const { manager } = yield* Nats
    // Not from the list, which a cluster that elects leaders answers without some: to add a stream that exists gives it
    // another time of creation (seen on 2.10.27).
    const found = yield* attemptNats(`look up stream ${want.name}`, () =>
      manager.streams.info(want.name).then(
        ({ config }) => config,
        (error: unknown) => {
          if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound)
            return undefined
          throw error
        },
      ),
    )
    if (found === undefined) {
      // Adding a stream that exists with the same configuration succeeds, so two that start at once agree.
      yield* attemptNats(`add stream ${want.name}`, () => manager.streams.add(want))
      return
    }
    if (!mayChange) return
    const differences = destructive(found, want)
    if (differences.length > 0) return yield* new TopologyError({ stream: want.name, differences })
    if (!isSame(found, want))
      yield* attemptNats(`update stream ${want.name}`, () => manager.streams.update(want.name, want))
  })

/**
 * Creates the streams and buckets that are missing; safe to run again and at once. Streams that exist are changed for
 * the writer alone, whose reckoning rests on their settings: another process may have been given others.
 */
export const ensureTopology = Effect.fn("ensureTopology")(function* (
  options: TopologyOptions,
  mayChange = true,
): Effect.fn.Return<void, NatsError | TopologyError, Nats> {
  const { jetstream, kv } = yield* Nats
  for (const stream of streamsOf(options)) yield* ensureStream(stream, mayChange)
  for (const bucket of Object.values(BUCKETS))
    yield* attemptNats(`create bucket ${bucket}`, () =>
      kv.create(bucket, {
        history: 1,
        replicas: options.replicas,
        // A fate is younger than its letter, so it is there for as long as the letter.
        ...(bucket === BUCKETS.deadLetters ? { ttl: DEAD_LETTER_DAYS * DAY } : {}),
      }),
    )
  yield* attemptNats(`create object store ${EXPORT_FILES}`, () =>
    new Objm(jetstream).create(EXPORT_FILES, { replicas: options.replicas, storage: StorageType.File }),
  )
})
