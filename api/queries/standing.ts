import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { Effect } from "effect"
import { STREAMS, TABLES } from "#schemas/names.ts"
import { ask } from "./memory.ts"
import type { StoreVersion } from "./store-version.ts"

/** What the store knows of a tenant before a report begins. */
export interface Standing {
  /** The tenant's reporting time zone; UTC while the tenant is not known. */
  readonly zone: string
  /** Every row of the tenant's daily rollup carries that zone, so it answers for it. */
  readonly dailyIsWhole: boolean
}

interface Row {
  readonly zone: string
  readonly daily_is_whole: 0 | 1
}

// The rollup's order begins with (tenant, zone): the look for another zone reads nothing when there is none.
const STATEMENT = `
WITH (SELECT max(record).time_zone FROM ${TABLES.tenants} WHERE tenant = {tenant:String}) AS known_zone,
  if(known_zone = '', 'UTC', known_zone) AS own_zone
SELECT
  own_zone AS zone,
  (SELECT count() FROM (
    SELECT 1 FROM ${TABLES.activityDaily} WHERE tenant = {tenant:String} AND zone != own_zone LIMIT 1
  )) = 0 AS daily_is_whole`

const READS = [{ table: TABLES.tenants }, { table: TABLES.activityDaily }]

/** What the store knows of a tenant; remembered where its version is given. */
export const readStanding = Effect.fn("readStanding")(function* (
  tenant: string,
  version?: StoreVersion,
): Effect.fn.Return<Standing, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  const rows =
    version === undefined
      ? store.query<Row>(STATEMENT, { params: { tenant } })
      : ask<Row>(version, STATEMENT, { tenant }, READS)
  const [row] = yield* rows
  return { zone: row?.zone ?? "UTC", dailyIsWhole: row?.daily_is_whole === 1 }
})

const PROGRESS = `
SELECT created, max(stream_seq) AS applied FROM ${TABLES.directoryProgress}
WHERE stream = {stream:String} GROUP BY created`

/** How far each life of the directory's stream is applied, by the stream's creation time. */
export const readDirectoryProgress = Effect.fn("readDirectoryProgress")(function* (): Effect.fn.Return<
  ReadonlyMap<string, number>,
  ClickHouseError,
  ClickHouse
> {
  const store = yield* ClickHouse
  const rows = yield* store.query<{ readonly created: string; readonly applied: number }>(PROGRESS, {
    params: { stream: STREAMS.directory },
  })
  return new Map(rows.map(({ created, applied }) => [created, applied]))
})
