import { JetStreamApiCodes, JetStreamApiError } from "@nats-io/jetstream"
import { Effect } from "effect"
import { attemptNats, Nats, type NatsError } from "#nats/connection.ts"
import { ledgerRecordOf } from "#nats/ledger-entry.ts"
import { nextMessage } from "#nats/next-message.ts"
import type { LedgerRecord } from "#schemas/ledger.ts"
import { BUCKETS } from "#schemas/names.ts"

/** How far a stream goes; undefined where there is none. */
export interface StreamState {
  readonly name: string
  readonly created: string
  readonly lastSequence: number
  /** By the broker's clock, milliseconds; undefined of one before 2.10, which does not say it. */
  readonly at: number | undefined
}

const orAbsent = <A>(look: Promise<A>): Promise<A | undefined> =>
  look.catch((error: unknown) => {
    if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound)
      return undefined
    throw error
  })

export const readStream = Effect.fn("readStream")(function* (
  name: string,
): Effect.fn.Return<StreamState | undefined, NatsError, Nats> {
  const { manager } = yield* Nats
  const info = yield* attemptNats(`ask for stream ${name}`, () => orAbsent(manager.streams.info(name)))
  if (info === undefined) return undefined
  const { created, state, ts } = info
  return {
    name,
    created,
    lastSequence: state.last_seq,
    at: ts === undefined ? undefined : Date.parse(ts),
  }
})

/** The writer's ledger of a stream; undefined while no writer has run. */
export const readLedger = Effect.fn("readLedger")(function* (
  stream: string,
): Effect.fn.Return<LedgerRecord | undefined, NatsError, Nats> {
  const { kv } = yield* Nats
  const entry = yield* attemptNats("read the ledger", async () => {
    const ledger = await kv.open(BUCKETS.ledger)
    return await orAbsent(ledger.get(stream))
  })
  return ledgerRecordOf(entry)
})

/**
 * The receive time up to which every message of a stream is applied: `now` when nothing waits, which must have been
 * read before the stream was asked, or just before the first message that waits.
 */
export const appliedThrough = Effect.fn("appliedThrough")(function* (
  stream: StreamState | undefined,
  applied: number,
  now: number,
): Effect.fn.Return<number, NatsError, Nats> {
  if (stream === undefined || applied >= stream.lastSequence) return now
  const { manager } = yield* Nats
  const waiting = yield* attemptNats(`look at stream ${stream.name}`, () =>
    nextMessage(manager, stream.name, applied + 1),
  )
  // What waited has left the stream meanwhile.
  if (waiting === undefined) return now
  return Math.min(now, waiting.time.getTime() - 1)
})
