import { Effect } from "effect"
import { ClickHouse } from "#clickhouse"
import { REBUILD_DATABASE, TABLES } from "#schemas/names.ts"
import { rebuild, type RebuildOptions } from "../../pipeline/rebuild/rebuild.ts"
import { type Rollup, ROLLUPS } from "../../pipeline/writer/rollups.ts"
import { asMaintainer, maintenance } from "./maintainer.ts"

const found = ROLLUPS.find(({ table }) => table === TABLES.activityDaily)
if (found === undefined) throw new Error("no daily rollup")
export const DAILY = found

export const rebuilding = (rollup: Rollup, options: Partial<RebuildOptions> = {}) =>
  asMaintainer((zones) => rebuild(rollup, { streams: [maintenance(20)], zones, ...options }))

/** Events of a tenant in a rollup, whatever the month. */
export const sumOf = (table: string, tenant: string) =>
  Effect.flatMap(ClickHouse, (store) =>
    store.query<{ events: number }>(
      `SELECT sum(events) AS events FROM ${table} WHERE tenant = {tenant:String}`,
      { params: { tenant } },
    ),
  ).pipe(Effect.map((rows) => rows[0]?.events ?? 0))

/** What rebuilds left behind. A user without rights there would see none. */
export const shadows = asMaintainer(() =>
  Effect.flatMap(ClickHouse, (store) =>
    store.query<{ name: string }>(
      `SELECT name AS name FROM system.tables WHERE database = '${REBUILD_DATABASE}'`,
    ),
  ),
)
