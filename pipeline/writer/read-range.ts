import { Effect } from "effect"
import { attemptNats, Nats, type NatsError } from "#nats/connection.ts"
import { type StreamMessage, StreamReader } from "#nats/reader.ts"

export interface Range {
  readonly stream: string
  /** The first sequence. */
  readonly from: number
  /** The last one, included. */
  readonly to: number
}

export interface ReadMessages {
  readonly messages: ReadonlyArray<StreamMessage>
  /** Everything of the stream up to here was read; less than `to` when a bound was met before. */
  readonly through: number
  /** The stream's first and last sequence when the reading began. */
  readonly first: number
  readonly last: number
}

const WINDOW = 4096
const WINDOW_BYTES = 8 * 1024 * 1024

/**
 * Reads the messages of a range that are still in the stream, up to a number of rows or bytes. It waits for as long as
 * the broker is away.
 */
export const readRange = Effect.fn("readRange")(function* (
  range: Range,
  bounds: { readonly rows: number; readonly bytes: number },
): Effect.fn.Return<ReadMessages, NatsError, Nats> {
  const { connection, manager } = yield* Nats
  const { state } = yield* attemptNats("look at the stream", () => manager.streams.info(range.stream))
  const ends = { first: state.first_seq, last: state.last_seq }
  if (
    range.from > range.to ||
    range.from > state.last_seq ||
    state.messages === 0 ||
    range.to < state.first_seq
  )
    return { messages: [], through: range.to, ...ends }
  // What was taken out of the stream at its end sends no message to wait for.
  const atOrBehind = { seq: range.from, next_by_subj: ">" }
  const next = yield* attemptNats("look for a message", () =>
    manager.streams.getMessage(range.stream, atOrBehind),
  )
  if (next === null || next.seq > range.to) return { messages: [], through: range.to, ...ends }
  const last = Math.min(range.to, state.last_seq)
  return yield* Effect.callback<ReadMessages>((resume) => {
    const messages: Array<StreamMessage> = []
    let bytes = 0
    let done = false
    const finish = (through: number) => {
      done = true
      reader.stop()
      resume(Effect.succeed({ messages, through, ...ends }))
    }
    const reader = StreamReader.open(connection, manager, {
      stream: range.stream,
      from: range.from,
      window: WINDOW,
      windowBytes: WINDOW_BYTES,
      onMessage: (message, waiting) => {
        if (done) return
        if (message.seq <= range.to) {
          messages.push(message)
          bytes += message.payload.byteLength
        }
        // The end may be a message that was deleted from the stream; then a later one shows it, or that none waits.
        if (message.seq >= last || waiting === 0) finish(range.to)
        else if (messages.length >= bounds.rows || bytes >= bounds.bytes) finish(message.seq)
      },
    })
    return Effect.sync(() => reader.stop())
  })
})
