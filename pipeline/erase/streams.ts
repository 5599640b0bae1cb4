import { Effect } from "effect"
import { attemptNats, Nats, type NatsError } from "#nats/connection.ts"
import type { StreamMessage } from "#nats/reader.ts"
import { readRange } from "../writer/read-range.ts"

const AT_ONCE = { rows: 10_000, bytes: 32 * 1024 * 1024 }

/**
 * Takes messages out of a stream up to a sequence, their bytes overwritten; gives how many. What a stream held is its proof, so
 * only what may be nowhere is taken. Doing it again finds nothing.
 */
export const purgeMessages = Effect.fn("purgeMessages")(function* (
  stream: string,
  to: number,
  isMeant: (message: StreamMessage) => boolean,
): Effect.fn.Return<number, NatsError, Nats> {
  const { manager } = yield* Nats
  let purged = 0
  for (let from = 1; from <= to;) {
    const { messages, through } = yield* readRange({ stream, from, to }, AT_ONCE)
    for (const { seq } of messages.filter(isMeant)) {
      yield* attemptNats("take a message out of a stream", () =>
        manager.streams.deleteMessage(stream, seq, true),
      )
      purged++
    }
    from = through + 1
  }
  return purged
})
