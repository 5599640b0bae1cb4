import type { KV } from "@nats-io/kv"
import { Effect, Schema } from "effect"
import { unlessConflict } from "#nats/conflict.ts"
import { attemptNats, Nats, NatsError } from "#nats/connection.ts"
import { Fate, fateKey } from "#schemas/fate.ts"
import { BUCKETS } from "#schemas/names.ts"
import type { Letter } from "./letters.ts"

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Fate))

const bucket = Effect.flatMap(Nats, ({ kv }) =>
  attemptNats("open bucket dead-letters", () => kv.open(BUCKETS.deadLetters)),
)

const readEntry = Effect.fnUntraced(function* (fates: KV, letter: Letter) {
  const entry = yield* attemptNats("read a dead letter's fate", () => fates.get(fateKey(letter)))
  return entry?.operation === "PUT"
    ? { fate: decode(entry.string()), revision: entry.revision }
    : { fate: undefined, revision: entry?.revision ?? 0 }
})

/** The fates of letters, in their order; undefined for one about which nobody did anything. */
export const readFates = Effect.fn("readFates")(function* (
  letters: ReadonlyArray<Letter>,
): Effect.fn.Return<ReadonlyArray<Fate | undefined>, NatsError, Nats> {
  if (letters.length === 0) return []
  const fates = yield* bucket
  return yield* Effect.forEach(
    letters,
    (letter) => Effect.map(readEntry(fates, letter), ({ fate }) => fate),
    {
      concurrency: 16,
    },
  )
})

const ATTEMPTS = 20

/**
 * Changes a letter's fate by compare-and-swap, so that two who act at once do so one after the other; gives the new one, or
 * the one that it has where `change` gives none.
 */
export const changeFate = Effect.fn("changeFate")(function* (
  letter: Letter,
  by: string,
  change: (fate: Fate | undefined) => Pick<Fate, "fate" | "replays"> | undefined,
): Effect.fn.Return<Fate | undefined, NatsError, Nats> {
  const fates = yield* bucket
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { fate, revision } = yield* readEntry(fates, letter)
    const changed = change(fate)
    if (changed === undefined) return fate
    const next: Fate = { ...changed, at: new Date().toISOString(), by }
    const written = yield* attemptNats("write a dead letter's fate", () =>
      // 0: there must be none yet.
      unlessConflict(fates.put(fateKey(letter), JSON.stringify(next), { previousSeq: revision })),
    )
    if (written !== undefined) return next
  }
  return yield* new NatsError({
    operation: "change a dead letter's fate",
    detail: "others change it all the time",
  })
})
