import { JetStreamApiCodes, JetStreamApiError, type StreamConfig, type StreamInfo } from "@nats-io/jetstream"
import { Effect, Schema } from "effect"
import { attemptNats, Nats, type NatsError } from "./connection.ts"

/** A stream exists and differs in a way that would lose messages, or that the server cannot change. */
export class TopologyError extends Schema.TaggedError<TopologyError>()("TopologyError", {
  stream: Schema.String,
  differences: Schema.Array(Schema.String),
}) {
  override get message(): string {
    return `stream ${this.stream} exists and differs: ${this.differences.join("; ")}. Change the setting back, or change the stream by hand once you know that nothing is lost.`
  }
}

export type Wanted = Pick<
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

const NANOS = 1_000_000

/** What there is of a stream; undefined when there is none of that name. */
export const findStream = Effect.fn("findStream")(function* (
  name: string,
): Effect.fn.Return<StreamInfo | undefined, NatsError, Nats> {
  const { manager } = yield* Nats
  return yield* attemptNats(`look up stream ${name}`, () =>
    manager.streams.info(name).catch((error: unknown) => {
      if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound)
        return undefined
      throw error
    }),
  )
})

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

/** Makes a stream when it is missing, or changes it when that drops nothing and `mayChange`. */
export const ensureStream = (want: Wanted, mayChange: boolean) =>
  Effect.gen(function* () {
    const { manager } = yield* Nats
    // Not from the list, which a cluster that elects leaders answers without some: to add a stream that exists gives it
    // another time of creation (seen on 2.10.27).
    const found = (yield* findStream(want.name))?.config
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
