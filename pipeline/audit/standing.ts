import { Effect } from "effect"
import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { TABLES } from "#schemas/names.ts"
import type { Nats, NatsError } from "#nats/connection.ts"
import { readCoverage, remember } from "./proofs.ts"
import type { Life } from "./stream-range.ts"

/** What the audits of a stream's life come to. */
export interface Standing extends Life {
  /** Everything up to here is proved; 0 when nothing is. */
  readonly proved_through: number
  /** Those that no later comparison has cleared. */
  readonly differences: number
  /** Sequences that had left the stream before they were compared: the rollups alone speak for their rows. */
  readonly gone: number
}

const GONE = `
SELECT
  sum(missing) AS gone
FROM
(
    SELECT
        from_seq AS first_seq,
        argMax(gone, at) AS missing
    FROM ${TABLES.auditProofs}
    WHERE stream = {stream:String} AND generation = {generation:UInt32}
    GROUP BY first_seq
)`

/** Writes down what the audits of a stream's life come to now. */
export const rememberStanding = Effect.fn("rememberStanding")(function* ({
  stream,
  generation,
}: Life): Effect.fn.Return<Standing, ClickHouseError | NatsError, ClickHouse | Nats> {
  const store = yield* ClickHouse
  const { through, differences } = yield* readCoverage({ stream, generation })
  const rows = yield* store.query<{ readonly gone: number }>(GONE, { params: { stream, generation } })
  const standing = { stream, generation, proved_through: through, differences, gone: rows[0]?.gone ?? 0 }
  yield* remember(TABLES.auditStandings, standing)
  return standing
})

const LAST = `
SELECT
  count() AS audits,
  toUnixTimestamp64Milli(max(ended)) AS ended_at,
  sum(found) AS differences
FROM
(
    SELECT max(at) AS ended, argMax(differences, at) AS found FROM ${TABLES.auditStandings} GROUP BY stream
    UNION ALL
    SELECT max(at) AS ended, argMax(differences, at) AS found FROM ${TABLES.auditMonths} GROUP BY month
)`

/** When the last audit ended (milliseconds since 1970), and what no later one has cleared; undefined before the first. */
export const readLastAudit = Effect.fn("readLastAudit")(function* (): Effect.fn.Return<
  { readonly endedAt: number; readonly differences: number } | undefined,
  ClickHouseError,
  ClickHouse
> {
  const store = yield* ClickHouse
  const rows = yield* store.query<{
    readonly audits: number
    readonly ended_at: number
    readonly differences: number
  }>(LAST)
  const [last] = rows
  return last === undefined || last.audits === 0
    ? undefined
    : { endedAt: last.ended_at, differences: last.differences }
})
