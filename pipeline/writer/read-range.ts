import { Effect } from "effect"
import { attemptNats, Nats, type NatsError } from "#nats/connection.ts"
import { nextSequence } from "#nats/next-message.ts"
import { type StreamMessage, StreamReader } from "#nats/reader.ts"

/** Sequences, first and last included. */
export interface Range {
  readonly from: number
  readonly to: number
}

/** What is read of a stream. */
export interface StreamRange extends Range {
  readonly stream: string
  /** Leaves out everything but these subjects. */
  readonly filter?: string
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
const RETRY = 250

/**
 * Reads the messages of a range that are still in the stream, up to a number of rows or bytes. It waits for as long as
 * the broker is away.
 */
export const readRange = Effect.fn("readRange")(function* (
  range: StreamRange,
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
  /** Whether the stream's leader holds a message of the range from here on. */
  const hasFrom = async (seq: number) => {
    const next = await nextSequence(manager, range.stream, seq, range.filter)
    return next !== undefined && next <= range.to
  }
  // What was taken out of the stream at its end sends no message to wait for.
  if (!(yield* attemptNats("look for a message", () => hasFrom(range.from))))
    return { messages: [], through: range.to, ...ends }
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
    /**
     * The end may be a message that was deleted from the stream, behind which nothing comes. That nothing waits is the
     * word of the consumer's server alone, which may lag behind.
     */
    const askForMore = async (seq: number): Promise<void> => {
      const isNews = () => done || messages.at(-1)?.seq !== seq
      if (isNews()) return
      try {
        const isMore = await hasFrom(seq + 1)
        if (!isMore && !isNews()) finish(range.to)
      } catch {
        setTimeout(() => void askForMore(seq), RETRY)
      }
    }
    const reader = StreamReader.open(connection, manager, {
      stream: range.stream,
      from: range.from,
      ...(range.filter === undefined ? {} : { filter: range.filter }),
      window: WINDOW,
      windowBytes: WINDOW_BYTES,
      onMessage: (message, waiting) => {
        if (done) return
        if (message.seq <= range.to) {
          messages.push(message)
          bytes += message.payload.byteLength
        }
        if (message.seq >= last) finish(range.to)
        else if (messages.length >= bounds.rows || bytes >= bounds.bytes) finish(message.seq)
        else if (waiting === 0) void askForMore(message.seq)
      },
    })
    return Effect.sync(() => reader.stop())
  })
})
