import { Effect } from "effect"
import { attemptNats, Nats, type NatsError } from "#nats/connection.ts"
import type { StreamMessage } from "#nats/reader.ts"
import { readRange, type StreamRange } from "../writer/read-range.ts"

const AT_ONCE = { rows: 10_000, bytes: 32 * 1024 * 1024 }

/** Takes one message out of a stream, its bytes overwritten. */
export const takeOut = Effect.fn("takeOut")(function* (
  stream: string,
  seq: number,
): Effect.fn.Return<void, NatsError, Nats> {
  const { manager } = yield* Nats
  yield* attemptNats("take a message out of a stream", () => manager.streams.deleteMessage(stream, seq, true))
})

/**
 * Takes messages out of a stream up to a sequence; gives how many. What a stream held is its proof, so only what may be
 * nowhere is taken. Doing it again finds nothing. `before` is done for each of them first.
 */
export const purgeMessages = Effect.fn("purgeMessages")(function* (
  { stream, filter, to }: Omit<Required<StreamRange>, "from">,
  isMeant: (message: StreamMessage) => boolean,
  before: (message: StreamMessage) => Effect.Effect<void, NatsError, Nats> = () => Effect.void,
): Effect.fn.Return<number, NatsError, Nats> {
  let purged = 0
  for (let from = 1; from <= to;) {
    const { messages, through } = yield* readRange({ stream, from, to, filter }, AT_ONCE)
    for (const message of messages.filter(isMeant)) {
      yield* before(message)
      yield* takeOut(stream, message.seq)
      purged++
    }
    from = through + 1
  }
  return purged
})
