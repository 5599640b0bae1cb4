import type { ClickHouse, ClickHouseError } from "#clickhouse"
import { Clock, Effect } from "effect"
import type { Nats, NatsError } from "#nats/connection.ts"
import { STREAMS } from "#schemas/names.ts"
import { type Pin, readStoredPin } from "./actions.ts"
import { appliedThrough, readLedger, readStream } from "./freshness.ts"
import { type Range, rangeOf } from "./range.ts"
import { readDirectoryProgress, readStanding, type Standing } from "./standing.ts"

/** What every report begins with. */
export interface Report {
  readonly tenant: string
  readonly range: Range
  readonly standing: Standing
  /** Everything received up to here is in what is read from now on. */
  readonly dataThrough: number
  /** Where the stream of actions ends now. */
  readonly pin: Effect.Effect<Pin, ClickHouseError, ClickHouse>
}

export interface Asked {
  readonly from: string
  readonly to: string
  readonly tz?: string
}

/** Asks how far the streams are applied before anything is read, so that the report holds at least as much as it says. */
export const openReport = Effect.fn("openReport")(function* (
  tenant: string,
  { from, to, tz }: Asked,
): Effect.fn.Return<Report, ClickHouseError | NatsError, ClickHouse | Nats> {
  const now = yield* Clock.currentTimeMillis
  const { actions, directory, ledger, progress, standing } = yield* Effect.all(
    {
      actions: readStream(STREAMS.actions),
      directory: readStream(STREAMS.directory),
      ledger: readLedger(STREAMS.actions),
      progress: readDirectoryProgress(),
      standing: readStanding(tenant),
    },
    { concurrency: "unbounded" },
  )
  const [actionsThrough, directoryThrough] = yield* Effect.all(
    [
      appliedThrough(actions, ledger?.committed ?? 0, now),
      appliedThrough(directory, progress.get(directory?.created ?? "") ?? 0, now),
    ],
    { concurrency: "unbounded" },
  )
  return {
    tenant,
    range: rangeOf(from, to, tz ?? standing.zone, now),
    standing,
    dataThrough: Math.min(actionsThrough, directoryThrough),
    pin:
      ledger === undefined
        ? readStoredPin(tenant)
        : // A stream that was just rebuilt ends before what the store holds of its former life.
          Effect.succeed({
            generation: ledger.generation,
            sequence: Math.max(ledger.committed, actions?.lastSequence ?? 0),
          }),
  }
})

/** The report's word about itself. */
export const metaOf = (report: Report, parameters: object, requestId: string) => {
  const { cursor: _, ...filters } = parameters as Record<string, unknown>
  return {
    from: report.range.from,
    to: report.range.to,
    time_zone: report.range.zone,
    data_through: new Date(report.dataThrough).toISOString(),
    filters,
    request_id: requestId,
  }
}
