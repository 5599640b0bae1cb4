import type { ClickHouse, ClickHouseError } from "#clickhouse"
import { Effect } from "effect"
import { TABLES } from "#schemas/names.ts"
import { ask } from "./memory.ts"
import type { Opened } from "./report.ts"
import { pairKey } from "./signal-asked.ts"
import { MEANS, type OffPlatform } from "./signal-off-platform.ts"

/** What happened between a client and a candidate. */
export interface Pair {
  readonly client_id: string
  readonly candidate_id: string
  readonly reveals: number
  readonly downloads: number
  /** Of the first and the last reveal or download. */
  readonly first_at: string
  readonly last_at: string
  /** Of the last event of any kind. */
  readonly any_at: string
  /** UTC days of reveals and downloads, the first ones first. */
  readonly days: ReadonlyArray<string>
}

const STATEMENT = `
WITH by_client AND action IN {means:Array(String)} AS is_means
SELECT
  client_id,
  candidate_id,
  sumIf(events, is_means AND action = 'candidate_contact.revealed') AS reveals,
  sumIf(events, is_means AND action = 'cv.downloaded') AS downloads,
  minIf(activity.first_at, is_means) AS first_at,
  maxIf(activity.last_at, is_means) AS last_at,
  max(activity.last_at) AS any_at,
  arraySort(groupUniqArrayIf(toDate(quarter), is_means)) AS days
FROM ${TABLES.clientActivity15m} AS activity
WHERE tenant = {tenant:String} AND client_id IN {clients:Array(String)} AND candidate_id IN {candidates:Array(String)}
GROUP BY client_id, candidate_id`

/** All that the rollup says of some clients and candidates, by `pairKey`; of others of these ids, too. */
export const readPairs = Effect.fn("readPairs")(function* (
  { tenant, version }: Opened,
  pairs: ReadonlyArray<OffPlatform>,
): Effect.fn.Return<ReadonlyMap<string, Pair>, ClickHouseError, ClickHouse> {
  if (pairs.length === 0) return new Map()
  const rows = yield* ask<Pair>(
    version,
    STATEMENT,
    {
      tenant,
      means: MEANS,
      clients: [...new Set(pairs.map(({ client_id }) => client_id))],
      candidates: [...new Set(pairs.map(({ candidate_id }) => candidate_id))],
    },
    [{ table: TABLES.clientActivity15m }],
  )
  return new Map(rows.map((row) => [pairKey(row.client_id, row.candidate_id), row]))
})
