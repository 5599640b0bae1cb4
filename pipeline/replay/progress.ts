import { Effect, Schema } from "effect"
import { BUCKETS } from "#schemas/names.ts"
import { attemptNats, Nats, type NatsError } from "#nats/connection.ts"

/** How far a replay of a stream came, for one that is broken off and taken up again. Kept beside the stream's ledger. */
export const ReplayProgress = Schema.Struct({
  stream: Schema.String,
  /** The life of the stream that the sequences belong to. */
  generation: Schema.Int,
  /** Sequences, first and last included. */
  from: Schema.Int,
  to: Schema.Int,
  /** Messages of these subjects alone. */
  subject: Schema.String,
  /** Everything before it is done. */
  next: Schema.Int,
  added: Schema.Int,
  began_at: Schema.String,
})
export type ReplayProgress = typeof ReplayProgress.Type

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(ReplayProgress))
const keyOf = (stream: string): string => `replay.${stream}`

const bucket = Effect.flatMap(Nats, ({ kv }) =>
  attemptNats("open bucket ledger", () => kv.open(BUCKETS.ledger)),
)

/** A replay of the stream that has not ended; undefined when there is none. */
export const readProgress = Effect.fn("readProgress")(function* (
  stream: string,
): Effect.fn.Return<ReplayProgress | undefined, NatsError, Nats> {
  const ledger = yield* bucket
  const entry = yield* attemptNats("read a replay's progress", () => ledger.get(keyOf(stream)))
  return entry?.operation === "PUT" ? decode(entry.string()) : undefined
})

export const writeProgress = Effect.fn("writeProgress")(function* (progress: ReplayProgress) {
  const ledger = yield* bucket
  yield* attemptNats("write a replay's progress", () =>
    ledger.put(keyOf(progress.stream), JSON.stringify(progress)),
  )
})

export const endProgress = Effect.fn("endProgress")(function* (stream: string) {
  const ledger = yield* bucket
  yield* attemptNats("end a replay's progress", () => ledger.delete(keyOf(stream)))
})
