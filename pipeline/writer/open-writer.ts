import { randomUUID } from "node:crypto"
import { Effect } from "effect"
import { Nats, type NatsError } from "#nats/connection.ts"
import { Publisher } from "#nats/publisher.ts"
import { Tombstones } from "../erase/tombstones.ts"
import { Judge } from "./action-row.ts"
import { checkLedgerServer, type UnsafeLedger } from "./claim.ts"
import type { Writer, WriterOptions } from "./context.ts"
import { openLedger } from "./ledger.ts"
import type { WriterMetrics } from "./metrics.ts"
import { ownership } from "./ownership.ts"
import { ALONE, type Turn } from "./turn.ts"
import type { Zones } from "./zones.ts"

/** Actions are accepted for 25 months; the raw table keeps them two months longer. */
export const MAX_ACTION_AGE = 761 * 86_400_000

/** Who somebody is among the writers. */
export interface Place {
  /** Names the process in leases and query ids. */
  readonly owner: string
  readonly turn: Turn
}

/** Somebody who can own a stream's partition, and does not yet. */
export const openWriter = Effect.fn("openWriter")(function* (
  options: WriterOptions,
  zones: Zones,
  metrics: WriterMetrics,
  { owner, turn }: Place = { owner: randomUUID().slice(0, 8), turn: ALONE },
): Effect.fn.Return<Writer["Service"], UnsafeLedger | NatsError, Nats> {
  const { connection } = yield* Nats
  yield* checkLedgerServer
  const tombstones = new Tombstones()
  const limits = { maxClockAhead: options.maxClockAhead, maxAge: MAX_ACTION_AGE }
  return {
    options,
    owner,
    ledger: yield* openLedger(options.stream, owner),
    judge: new Judge(limits, zones, tombstones),
    tombstones,
    zones,
    zonesSeen: { version: zones.version, again: Infinity },
    publisher: Publisher.open(connection),
    metrics,
    unanswered: { until: 0 },
    led: { leader: undefined, at: 0, through: undefined },
    isOwn: ownership(options),
    turn,
  }
})
