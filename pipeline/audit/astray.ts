import { Effect, Schedule } from "effect"
import type { ClickHouse, ClickHouseError } from "#clickhouse"
import { actionStreamOf } from "#schemas/partitions.ts"
import { attemptNats, Nats, type NatsError } from "#nats/connection.ts"
import { partitionsInForce } from "#nats/partitions.ts"
import { openLedger } from "../writer/ledger.ts"
import type { Resolved } from "./resolve.ts"
import type { Life } from "./stream-range.ts"

/** How long the owner of another stream may take for what was sent on to it; what it has not stored then is missing. */
const PATIENCE = "30 seconds"

/** Until a stream is stored as far as it goes now. */
const stored = Effect.fnUntraced(function* (stream: string) {
  const { manager } = yield* Nats
  const { state } = yield* attemptNats("look at the stream", () => manager.streams.info(stream))
  const ledger = yield* openLedger(stream, "reader")
  yield* ledger.peek.pipe(
    Effect.repeat({
      until: (record) => (record?.committed ?? 0) >= state.last_seq,
      schedule: Schedule.spaced("250 millis"),
    }),
  )
})

/**
 * Looks a second time where events are missing that belong to other streams: they were sent on to these before they were
 * committed here, and may be on their way into the store, or among the dead letters.
 */
export const withSentOn = <E>(
  { stream }: Life,
  resolve: Effect.Effect<Resolved, E | ClickHouseError | NatsError, ClickHouse | Nats>,
  again: Effect.Effect<Resolved, E | ClickHouseError | NatsError, ClickHouse | Nats>,
): Effect.Effect<Resolved, E | ClickHouseError | NatsError, ClickHouse | Nats> =>
  Effect.gen(function* () {
    const resolved = yield* resolve
    if (resolved.missing.length === 0) return resolved
    const partitions = yield* partitionsInForce
    const owners = new Set(resolved.missing.map(({ row }) => actionStreamOf(row.tenant, partitions)))
    owners.delete(stream)
    if (owners.size === 0) return resolved
    yield* Effect.forEach(owners, stored, { discard: true }).pipe(Effect.timeoutOption(PATIENCE))
    return yield* again
  })
