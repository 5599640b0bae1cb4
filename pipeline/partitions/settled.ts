import { Effect } from "effect"
import { BUCKETS } from "#schemas/names.ts"
import { actionStreams } from "#schemas/partitions.ts"
import { findMisarranged } from "#nats/action-streams.ts"
import { attemptNats, Nats, type NatsError } from "#nats/connection.ts"
import { ledgerRecordOf } from "#nats/ledger-entry.ts"
import { findActionStreams, readArrangement } from "#nats/partitions.ts"

/** Everything is as so many partitions have it: the number in force, the streams and what they take, and every ledger. */
export const isSettledAt = Effect.fn("isSettledAt")(function* (
  partitions: number,
): Effect.fn.Return<boolean, NatsError, Nats> {
  const { partitions: inForce, changingTo } = yield* readArrangement
  if (inForce !== partitions || changingTo !== undefined) return false
  const streams = yield* findActionStreams()
  if (!actionStreams(partitions).every((name) => streams.includes(name))) return false
  if ((yield* findMisarranged(partitions)).length > 0) return false
  const { kv } = yield* Nats
  return yield* attemptNats("read the ledgers", async () => {
    const ledger = await kv.open(BUCKETS.ledger)
    const entries = await Promise.all(streams.map((stream) => ledger.get(stream)))
    return entries.every((entry) => {
      const record = ledgerRecordOf(entry)
      return record === undefined || (record.partitions ?? 1) === partitions
    })
  })
})

/**
 * Streams of other numbers of partitions that still hold messages: a log of what was stored, and of what came too late, which
 * their owners send on.
 */
export const findLeftBehind = Effect.fn("findLeftBehind")(function* (
  partitions: number,
): Effect.fn.Return<ReadonlyArray<string>, NatsError, Nats> {
  const { manager } = yield* Nats
  const current = actionStreams(partitions)
  const left: Array<string> = []
  for (const name of yield* findActionStreams()) {
    if (current.includes(name)) continue
    const { state } = yield* attemptNats(`look at stream ${name}`, () => manager.streams.info(name))
    if (state.messages > 0) left.push(name)
  }
  return left
})
