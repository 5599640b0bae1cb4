import { Effect } from "effect"
import { DEAD_LETTER_HEADERS } from "#schemas/dead-letter.ts"
import { STREAMS } from "#schemas/names.ts"
import { Nats } from "#nats/connection.ts"

export interface FoundLetter {
  readonly subject: string
  readonly reason: string
  /** Where the original stands. */
  readonly stream: string
  readonly sequence: number
  readonly originalSubject: string
  readonly payload: Buffer
}

const AT_ONCE = 500

/** Every dead letter that the broker holds, in order. */
export const deadLetters = Effect.gen(function* () {
  const { manager } = yield* Nats
  return yield* Effect.promise(async () => {
    const { state } = await manager.streams.info(STREAMS.deadLetters)
    const read = async (seq: number): Promise<ReadonlyArray<FoundLetter>> => {
      const message = await manager.streams.getMessage(STREAMS.deadLetters, { seq })
      if (message === null) return []
      const { subject, header, data } = message
      return [
        {
          subject,
          reason: header.get(DEAD_LETTER_HEADERS.reason),
          stream: header.get(DEAD_LETTER_HEADERS.stream),
          sequence: Number(header.get(DEAD_LETTER_HEADERS.sequence)),
          originalSubject: header.get(DEAD_LETTER_HEADERS.subject),
          payload: Buffer.from(data),
        },
      ]
    }
    const letters: Array<FoundLetter> = []
    for (let from = Math.max(1, state.first_seq); from <= state.last_seq; from += AT_ONCE) {
      const many = Math.min(AT_ONCE, state.last_seq - from + 1)
      const some = await Promise.all(Array.from({ length: many }, (_, n) => read(from + n)))
      letters.push(...some.flat())
    }
    return letters
  })
})
