import { Effect } from "effect"
import { readDeadLetterId } from "#schemas/dead-letter.ts"
import { STREAMS } from "#schemas/names.ts"
import type { NatsError, Nats } from "#nats/connection.ts"
import { sequenceAt } from "#nats/sequence-at.ts"
import { readRange } from "../writer/read-range.ts"

const AT_ONCE = { rows: 10_000, bytes: 16 * 1024 * 1024 }

/**
 * The sequences of a stream's life that have a dead letter, of those that were published since an instant (milliseconds
 * since 1970): a message is refused after it was received, so no older one can be meant.
 */
export const readBuried = Effect.fn("readBuried")(function* (
  of: { readonly stream: string; readonly generation: number },
  since: number,
): Effect.fn.Return<ReadonlySet<number>, NatsError, Nats> {
  const stream = STREAMS.deadLetters
  const buried = new Set<number>()
  let from = yield* sequenceAt(stream, since)
  for (;;) {
    const { messages, through, last } = yield* readRange(
      { stream, from, to: Number.MAX_SAFE_INTEGER },
      AT_ONCE,
    )
    for (const { messageId = "" } of messages) {
      const id = readDeadLetterId(messageId)
      if (id?.stream === of.stream && id.generation === of.generation) buried.add(id.sequence)
    }
    if (messages.length === 0 || through >= last) return buried
    from = through + 1
  }
})
