import { Effect } from "effect"
import { attemptNats, Nats, type NatsError } from "./connection.ts"
import { nextMessage } from "./next-message.ts"

/**
 * The first sequence that a stream received at or after an instant (milliseconds since 1970); one behind its last message
 * when there is none. Receive times rise with the sequences, so it asks for some twenty messages of a large stream.
 */
export const sequenceAt = Effect.fn("sequenceAt")(function* (
  stream: string,
  instant: number,
): Effect.fn.Return<number, NatsError, Nats> {
  const { manager } = yield* Nats
  const { state } = yield* attemptNats("look at the stream", () => manager.streams.info(stream))
  let low = state.first_seq
  let high = state.last_seq + 1
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    // Sequences may be missing; the next one that is there stands for them.
    const message = yield* attemptNats("look for a message", () => nextMessage(manager, stream, middle))
    if (message === undefined || message.time.getTime() >= instant) high = middle
    else low = message.seq + 1
  }
  return low
})
