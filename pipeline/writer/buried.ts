import { hash } from "node:crypto"
import { Effect } from "effect"
import { readDeadLetterId } from "#schemas/dead-letter.ts"
import { STREAMS } from "#schemas/names.ts"
import { placesOf } from "#schemas/sent-on.ts"
import type { NatsError, Nats } from "#nats/connection.ts"
import type { StreamMessage } from "#nats/reader.ts"
import { sequenceAt } from "#nats/sequence-at.ts"
import { readRange } from "./read-range.ts"

const AT_ONCE = { rows: 10_000, bytes: 16 * 1024 * 1024 }

/** What of a stream has a dead letter. */
export interface Buried {
  /** Sequences of messages that it refused itself. */
  readonly here: ReadonlySet<number>
  /** Events that were sent on and refused by the stream that took them, by `keyOf`. */
  readonly elsewhere: ReadonlySet<string>
}

/**
 * Whoever publishes could name any place in the header, so a letter speaks for another stream's sequence only when it holds the
 * very message of it, under the same tenant.
 */
const keyOf = (sequence: number, { subject, payload }: StreamMessage): string =>
  `${sequence} ${subject.split(".")[2]} ${hash("md5", payload)}`

/** The message has a dead letter, be it of the stream that it was sent on to. */
export const isBuried = ({ here, elsewhere }: Buried, message: StreamMessage): boolean =>
  here.has(message.seq) || (elsewhere.size > 0 && elsewhere.has(keyOf(message.seq, message)))

/**
 * What of a stream's life has a dead letter, of those that were published since an instant (milliseconds since 1970): a
 * message is refused after it was received, so no older one can be meant.
 */
export const readBuried = Effect.fn("readBuried")(function* (
  of: { readonly stream: string; readonly generation: number },
  since: number,
): Effect.fn.Return<Buried, NatsError, Nats> {
  const stream = STREAMS.deadLetters
  const here = new Set<number>()
  const elsewhere = new Set<string>()
  let from = yield* sequenceAt(stream, since)
  for (;;) {
    const { messages, through, last } = yield* readRange(
      { stream, from, to: Number.MAX_SAFE_INTEGER },
      AT_ONCE,
    )
    for (const letter of messages) {
      const id = readDeadLetterId(letter.messageId ?? "")
      if (id?.stream === of.stream && id.generation === of.generation) here.add(id.sequence)
      for (const { stream: before, generation, sequence } of placesOf(letter.sentOn))
        if (before === of.stream && generation === of.generation) elsewhere.add(keyOf(sequence, letter))
    }
    if (messages.length === 0 || through >= last) return { here, elsewhere }
    from = through + 1
  }
})
