import { Effect, Schema } from "effect"
import { attemptNats, Nats, type NatsError } from "#nats/connection.ts"
import { openLedger } from "../writer/ledger.ts"
import { messageAt } from "../writer/marks.ts"
import type { Range } from "../writer/read-range.ts"
import type { Life } from "./stream-range.ts"

/** A stream that no writer ever owned: nothing of it can be stored, so there is nothing to compare. */
export class NoLedger extends Schema.TaggedError<NoLedger>()("NoLedger", { stream: Schema.String }) {
  override get message(): string {
    return `no writer ever owned ${this.stream}: start one, it stores what the stream holds`
  }
}

/** One pass over raw's sequences each. */
const BLOCK = 250_000

const readRecord = Effect.fnUntraced(function* (stream: string) {
  const record = yield* (yield* openLedger(stream, "reader")).peek
  return record === undefined ? yield* new NoLedger({ stream }) : record
})

/** The present life of a stream. */
export const lifeOf = Effect.fnUntraced(function* (
  stream: string,
): Effect.fn.Return<Life, NatsError | NoLedger, Nats> {
  const { generation } = yield* readRecord(stream)
  return { stream, generation }
})

/** What was asked for, no further than what is committed and no earlier than what the stream holds. */
export const committedRange = Effect.fnUntraced(function* (
  { stream }: Life,
  asked: { readonly from?: number; readonly to?: number },
): Effect.fn.Return<Range, NatsError | NoLedger, Nats> {
  const { committed } = yield* readRecord(stream)
  return {
    from: Math.max(asked.from ?? 1, yield* firstHeld(stream), 1),
    to: Math.min(asked.to ?? committed, committed),
  }
})

/** The first sequence that a stream holds. */
export const firstHeld = Effect.fnUntraced(function* (
  stream: string,
): Effect.fn.Return<number, NatsError, Nats> {
  const { manager } = yield* Nats
  const { state } = yield* attemptNats("look at the stream", () => manager.streams.info(stream))
  return state.first_seq
})

/** When the stream received the first message of a range, milliseconds since 1970; 0 when it does not hold it. */
export const receivedSince = Effect.fnUntraced(function* ({ stream }: Life, { from }: Range) {
  return (yield* messageAt(stream, from))?.receivedAt ?? 0
})

/** A range in blocks. */
export const blocksOf = function* ({ from, to }: Range): Generator<Range> {
  for (let at = from; at <= to; at += BLOCK) yield { from: at, to: Math.min(to, at + BLOCK - 1) }
}
