import { Effect } from "effect"
import type { Nats, NatsError } from "#nats/connection.ts"
import { openLedger } from "../writer/ledger.ts"

/** How far each stream was stored at an instant. What is at or before it changes only by an erasure, a replay or a repair. */
export interface Cut {
  readonly streams: ReadonlyArray<string>
  readonly generations: ReadonlyArray<number>
  readonly committed: ReadonlyArray<number>
}

export const readCut = Effect.fn("readCut")(function* (
  names: ReadonlyArray<string>,
): Effect.fn.Return<Cut, NatsError, Nats> {
  const records = yield* Effect.forEach(names, (name) =>
    Effect.flatMap(openLedger(name, "reader"), ({ peek }) => peek),
  )
  const known = records.filter((record) => record !== undefined)
  return {
    streams: known.map(({ stream }) => stream),
    generations: known.map(({ generation }) => generation),
    committed: known.map(({ committed }) => committed),
  }
})

/** A row's place among the streams of the cut; 0 for a stream that nobody writes any more. */
const PLACE = "indexOf({streams:Array(String)}, toString(a.stream))"

/**
 * Rows beyond the cut: of a later life of its stream, or of a later message. A row of a stream that no writer owns, or of an
 * earlier life, is before it.
 */
const BEYOND = `(${PLACE} > 0 AND (a.generation, a.stream_seq)
    > ({generations:Array(UInt32)}[${PLACE}], {committed:Array(UInt64)}[${PLACE}]))`

export const BEYOND_CUT = BEYOND
export const BEFORE_CUT = `NOT ${BEYOND}`
