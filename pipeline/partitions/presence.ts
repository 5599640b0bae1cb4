import { Effect, Schema } from "effect"
import { Presence } from "#schemas/ledger.ts"
import { BUCKETS } from "#schemas/names.ts"
import { attemptNats, Nats, type NatsError } from "#nats/connection.ts"

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Presence))

const bucket = Effect.flatMap(Nats, ({ kv }) =>
  attemptNats("open bucket writers", () => kv.open(BUCKETS.writers)),
)

/** Says that a writer process lives, and for how long it may be taken for alive without another word. */
export const announce = Effect.fn("announce")(function* (
  presence: Presence,
): Effect.fn.Return<void, NatsError, Nats> {
  const writers = yield* bucket
  yield* attemptNats("announce the writer", () => writers.put(presence.writer, JSON.stringify(presence)))
})

/** Takes its leave, so that the others need not wait. */
export const takeLeave = Effect.fn("takeLeave")(function* (
  writer: string,
): Effect.fn.Return<void, NatsError, Nats> {
  const writers = yield* bucket
  yield* attemptNats("take the writer's leave", () => writers.delete(writer))
})

/** The writer processes that live, in the order of their names. `now` is the store's clock. */
export const readPresences = Effect.fn("readPresences")(function* (
  now: number,
): Effect.fn.Return<ReadonlyArray<Presence>, NatsError, Nats> {
  const { manager } = yield* Nats
  const writers = yield* bucket
  return yield* attemptNats("look who writes", async () => {
    const prefix = `$KV.${BUCKETS.writers}.`
    const { state } = await manager.streams.info(`KV_${BUCKETS.writers}`, { subjects_filter: `${prefix}*` })
    const keys = Object.keys(state.subjects ?? {}).map((subject) => subject.slice(prefix.length))
    const entries = await Promise.all(keys.map((key) => writers.get(key)))
    return entries
      .flatMap((entry) => (entry?.operation === "PUT" ? [decode(entry.string())] : []))
      .filter(({ until }) => until >= now)
      .toSorted((a, b) => (a.writer < b.writer ? -1 : 1))
  })
})
