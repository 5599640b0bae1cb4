import { Effect } from "effect"
import type { ClickHouse } from "#clickhouse"
import type { Nats } from "#nats/connection.ts"
import { readTombstones, Tombstones } from "../erase/tombstones.ts"
import { Judge } from "../writer/action-row.ts"
import type { MaintenanceError } from "../writer/maintenance.ts"
import { MAX_ACTION_AGE } from "../writer/open-writer.ts"
import { Zones } from "../writer/zones.ts"
import { auditRollups, type MonthAudit } from "./audit-rollups.ts"
import { auditStream, type StreamAudit } from "./audit-stream.ts"
import type { NoLedger } from "./committed-range.ts"
import type { Quietly } from "./rollup-differences.ts"
import { rememberStanding, type Standing } from "./standing.ts"

/** What is audited. */
export interface AuditScope {
  readonly streams: ReadonlyArray<string>
  /** Also what was proved before, and is the same since. */
  readonly all: boolean
  /** Sequences of the streams; what is absent is up to all. */
  readonly from?: number
  readonly to?: number
  /** Months of the rollups, YYYYMM; absent: all. */
  readonly months?: ReadonlySet<number>
}

export interface AuditOptions {
  /** As the writer has it, milliseconds. */
  readonly maxClockAhead: number
  /** Runs the last look at what seems to differ while nobody writes. */
  readonly quietly: Quietly
  readonly onBlock?: (block: StreamAudit, to: number) => Effect.Effect<void>
  readonly onMonth?: (month: MonthAudit, left: number) => Effect.Effect<void>
}

export interface Audit {
  /** 0 is the proof. */
  readonly differences: number
  readonly blocks: ReadonlyArray<StreamAudit>
  readonly months: ReadonlyArray<MonthAudit>
  /** What all audits so far come to, by stream. */
  readonly standings: ReadonlyArray<Standing>
}

/**
 * Proves that what the streams hold (but for dead letters and repeats) is what raw holds, and that every rollup is what
 * raw sums up to. What the streams do not hold any more is proved against the rollups alone.
 */
export const audit = Effect.fn("audit")(function* (
  { streams, months, ...scope }: AuditScope,
  options: AuditOptions,
): Effect.fn.Return<Audit, MaintenanceError | NoLedger, ClickHouse | Nats> {
  // Zones are stamped on rows and are no part of what a message says.
  const tombstones = new Tombstones()
  tombstones.set(yield* readTombstones())
  const limits = { maxClockAhead: options.maxClockAhead, maxAge: MAX_ACTION_AGE }
  const judge = new Judge(limits, new Zones(), tombstones)
  const blocks: Array<StreamAudit> = []
  const standings: Array<Standing> = []
  for (const stream of streams) {
    const { life, blocks: compared } = yield* auditStream({ ...scope, stream }, judge, options.onBlock)
    blocks.push(...compared)
    standings.push(yield* rememberStanding(life))
  }
  const audited = yield* auditRollups(
    { all: scope.all, ...(months === undefined ? {} : { months }) },
    options.quietly,
    options.onMonth,
  )
  const differences = [...blocks, ...audited].reduce((sum, { differences: found }) => sum + found, 0)
  return { differences, blocks, months: audited, standings }
})
