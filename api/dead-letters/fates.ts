import { Effect, Schema } from "effect"
import { attemptNats, Nats, type NatsError } from "#nats/connection.ts"
import { BUCKETS } from "#schemas/names.ts"
import type { Letter } from "./letters.ts"

/** What became of a dead letter. The letter itself stays: it is the proof that its message was not lost. */
export const Fate = Schema.Struct({
  /** `replaying`: it is about to be sent, or was, by one that did not live to say so. */
  fate: Schema.Literals(["replaying", "replayed", "discarded"]),
  at: Schema.String,
  /** Who did it: the id of a credential, or a login name. */
  by: Schema.String,
  /** How often it was replayed. */
  replays: Schema.Int,
})
export type Fate = typeof Fate.Type

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Fate))

/** By the original, of which there may be two letters. */
const keyOf = ({ stream, generation, sequence }: Letter): string => `${stream}.${generation}.${sequence}`

const bucket = Effect.flatMap(Nats, ({ kv }) =>
  attemptNats("open bucket dead-letters", () => kv.open(BUCKETS.deadLetters)),
)

const readEntry = Effect.fnUntraced(function* (letter: Letter) {
  const fates = yield* bucket
  const entry = yield* attemptNats("read a dead letter's fate", () => fates.get(keyOf(letter)))
  return entry?.operation === "PUT"
    ? { fate: decode(entry.string()), revision: entry.revision }
    : { fate: undefined, revision: entry?.revision ?? 0 }
})

export const readFate = (letter: Letter): Effect.Effect<Fate | undefined, NatsError, Nats> =>
  Effect.map(readEntry(letter), ({ fate }) => fate)

/** Changes a letter's fate by compare-and-swap, so that two who act at once do so one after the other; gives the new one. */
export const changeFate = Effect.fn("changeFate")(function* (
  letter: Letter,
  by: string,
  change: (fate: Fate | undefined) => Pick<Fate, "fate" | "replays">,
): Effect.fn.Return<Fate, NatsError, Nats> {
  const fates = yield* bucket
  const attempt = Effect.gen(function* () {
    const { fate, revision } = yield* readEntry(letter)
    const next: Fate = { ...change(fate), at: new Date().toISOString(), by }
    yield* attemptNats("write a dead letter's fate", () =>
      // 0: there must be none yet.
      fates.put(keyOf(letter), JSON.stringify(next), { previousSeq: revision }),
    )
    return next
  })
  return yield* attempt.pipe(Effect.retry({ times: 10 }))
})
