import { Effect, Option, Schema } from "effect"
import { readDeadLetterId } from "#schemas/dead-letter.ts"
import { Fate, fateKey, isOpen } from "#schemas/fate.ts"
import { BUCKETS, STREAMS } from "#schemas/names.ts"
import { attemptNats, Nats, type NatsError } from "#nats/connection.ts"
import type { StreamMessage } from "#nats/reader.ts"
import { readRange } from "../writer/read-range.ts"

/** Dead letters that somebody still has to look after. */
export interface OpenLetters {
  readonly count: number
  /** When the oldest of them was refused, milliseconds since 1970; undefined when there is none. */
  readonly oldest: number | undefined
}

/** The stream behind the bucket of fates, and where the key begins in its subjects. */
const FATES = `KV_${BUCKETS.deadLetters}`
const KEY = `$KV.${BUCKETS.deadLetters}.`.length

const AT_ONCE = { rows: 10_000, bytes: 16 * 1024 * 1024 }
/** Of more letters, which take a writer's memory, none are counted. */
const MOST = 500_000

const readFate = Schema.decodeUnknownOption(Schema.fromJsonString(Fate))

/** Everything of a stream from one sequence to another. */
const readAll = Effect.fnUntraced(function* (
  range: { readonly stream: string; readonly from: number; readonly to: number },
  take: (message: StreamMessage) => void,
) {
  for (let from = range.from; from <= range.to;) {
    const { messages, through } = yield* readRange({ ...range, from }, AT_ONCE)
    for (const message of messages) take(message)
    from = through + 1
  }
})

const infoOf = (stream: string) =>
  Effect.flatMap(Nats, ({ manager }) =>
    attemptNats("look at the dead letters", () => manager.streams.info(stream)),
  )

interface Letter {
  readonly key: string
  readonly refusedAt: number
}

/**
 * Which dead letters are open, kept up with the stream of letters and the bucket of fates: a look reads what is new of both. That
 * it knows exactly the letters that the stream holds, those that expired or were erased left out, their number proves.
 */
export class OpenLetterCount {
  /** By their sequences, which rise. */
  #letters = new Map<number, Letter>()
  /** Originals of which something became. */
  #closed = new Set<string>()
  #created = ""
  #lettersThrough = 0
  #fatesThrough = 0

  forget(): void {
    this.#letters = new Map()
    this.#closed = new Set()
    this.#lettersThrough = 0
    this.#fatesThrough = 0
  }

  /** As it is now; undefined while that is not known. */
  readonly look: Effect.Effect<OpenLetters | undefined, NatsError, Nats> = Effect.gen(
    { self: this },
    function* () {
      let isExact = yield* this.#readLetters()
      if (!isExact) {
        this.forget()
        isExact = yield* this.#readLetters()
      }
      if (!isExact) {
        this.forget()
        return undefined
      }
      yield* this.#readFates()
      return this.#count()
    },
  )

  /** False when what is known is not what the stream holds. */
  #readLetters() {
    return Effect.gen({ self: this }, function* () {
      const { created, state } = yield* infoOf(STREAMS.deadLetters)
      const { messages, first_seq, last_seq } = state
      if (messages > MOST || last_seq < this.#lettersThrough) return false
      if (this.#lettersThrough > 0 && created !== this.#created) return false
      this.#created = created
      const range = { stream: STREAMS.deadLetters, from: this.#lettersThrough + 1, to: last_seq }
      yield* readAll(range, ({ seq, messageId = "", receivedAt }) => {
        const original = readDeadLetterId(messageId)
        this.#letters.set(seq, {
          key: original === undefined ? `? ${seq}` : fateKey(original),
          refusedAt: receivedAt,
        })
      })
      this.#lettersThrough = last_seq
      for (const seq of this.#letters.keys()) {
        if (seq >= first_seq) break
        this.#letters.delete(seq)
      }
      return this.#letters.size === messages
    })
  }

  #readFates() {
    return Effect.gen({ self: this }, function* () {
      const { last_seq } = (yield* infoOf(FATES)).state
      // The bucket was made anew.
      if (last_seq < this.#fatesThrough) {
        this.#closed = new Set()
        this.#fatesThrough = 0
      }
      yield* readAll(
        { stream: FATES, from: this.#fatesThrough + 1, to: last_seq },
        ({ subject, payload }) => {
          const key = subject.slice(KEY)
          if (isOpen(Option.getOrUndefined(readFate(Buffer.from(payload).toString()))))
            this.#closed.delete(key)
          else this.#closed.add(key)
        },
      )
      this.#fatesThrough = last_seq
    })
  }

  #count(): OpenLetters {
    // A fate outlives its letter.
    if (this.#closed.size > this.#letters.size) {
      const held = new Set([...this.#letters.values()].map(({ key }) => key))
      this.#closed = this.#closed.intersection(held)
    }
    let count = 0
    let oldest: number | undefined
    for (const { key, refusedAt } of this.#letters.values())
      if (!this.#closed.has(key)) {
        count++
        oldest ??= refusedAt
      }
    return { count, oldest }
  }
}

const EVERY = "15 seconds"
/** After so long, as while the broker is away, what was told before is told no more. */
const STALE = "1 minute"

/** Tells which dead letters are open, again and again, for as long as this process is the one that is to. */
export const tellOpenLetters = (
  isOurs: () => boolean,
  tell: (open: OpenLetters | undefined) => void,
): Effect.Effect<never, never, Nats> => {
  const letters = new OpenLetterCount()
  const look = Effect.suspend(() => {
    if (isOurs()) return letters.look
    letters.forget()
    return Effect.succeed(undefined)
  })
  const lapse = Effect.sleep(STALE).pipe(
    Effect.andThen(Effect.sync(() => tell(undefined))),
    Effect.andThen(Effect.never),
  )
  return look.pipe(
    Effect.raceFirst(lapse),
    Effect.catch((error) => Effect.as(Effect.logWarning(error.message), undefined)),
    Effect.map(tell),
    Effect.andThen(Effect.sleep(EVERY)),
    Effect.forever,
    Effect.annotateLogs({ service: "dead-letters" }),
  )
}
