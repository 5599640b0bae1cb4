import { Effect } from "effect"
import { ClickHouse } from "#clickhouse"
import { TABLES } from "#schemas/names.ts"
import type { Zones } from "../writer/zones.ts"

/** Takes the zones that the store's directory has. */
export const loadZones = Effect.fn("loadZones")(function* (zones: Zones) {
  const store = yield* ClickHouse
  const rows = yield* store.query<{ tenant: string; zone: string; version: number; id: string }>(
    `SELECT
       tenant,
       record.time_zone AS zone,
       toUnixTimestamp64Milli(record.version) AS version,
       record.event_id AS id
     FROM (SELECT tenant, max(record) AS record FROM ${TABLES.tenants} GROUP BY tenant)`,
  )
  for (const { tenant, zone, version, id } of rows) zones.set(tenant, zone, version, id)
})
