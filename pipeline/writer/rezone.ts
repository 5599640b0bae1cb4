import { Effect } from "effect"
import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { TABLES } from "#schemas/names.ts"
import type { NatsError } from "#nats/connection.ts"
import { Writer } from "./context.ts"
import { DELETE_SETTINGS, DELETE_WITHIN_LEASE, deleteParams, queryId } from "./fence.ts"
import { type Doubt, signal } from "./lease.ts"
import type { LeaseLost } from "./ledger.ts"
import { ownRecord } from "./settle.ts"
import { changing } from "./unproved.ts"

/** As a DELETE is fenced: a statement that is sent late changes nothing, however long it runs. */
const SETTINGS = {
  ...DELETE_SETTINGS,
  mutations_sync: "2",
} as const

// The rollup's order begins with (tenant, zone).
const FOUND = `
SELECT
  tenant AS tenant,
  zone AS zone
FROM ${TABLES.activityDaily}
GROUP BY tenant, zone`

const DAYS = `
SELECT
  toString(toDate(min(time))) AS first,
  toString(toDate(max(time))) AS last,
  count() AS rows
FROM ${TABLES.actions}
WHERE tenant = {tenant:String} AND zone != {zone:String}`

/** Tenants whose daily rollup holds days of another zone than the directory has for them now. */
const strayTenants = Effect.fnUntraced(function* () {
  const store = yield* ClickHouse
  const { zones } = yield* Writer
  const rows = yield* store.query<{ readonly tenant: string; readonly zone: string }>(FOUND)
  return [
    ...new Set(rows.filter(({ tenant, zone }) => zones.of(tenant) !== zone).map(({ tenant }) => tenant)),
  ]
})

/**
 * Stamps a tenant's rows with its present zone and makes its daily rollup. Reports answer from the quarter hours meanwhile,
 * until no day of another zone is left: those go last, so that the rollup answers only when it is whole.
 */
const rezone = Effect.fn("rezone")(function* (tenant: string) {
  const store = yield* ClickHouse
  const { zones } = yield* Writer
  const zone = zones.of(tenant)
  const found = yield* store.query<{ readonly first: string; readonly last: string; readonly rows: number }>(
    DAYS,
    {
      params: { tenant, zone },
    },
  )
  const [span] = found
  const command = Effect.fnUntraced(function* (what: string, statement: string) {
    const record = yield* ownRecord
    yield* store.command(`${statement} AND ${DELETE_WITHIN_LEASE}`, {
      queryId: queryId(record, what),
      params: { tenant, zone, ...deleteParams(record) },
      settings: SETTINGS,
    })
  })
  if (span !== undefined && span.rows > 0)
    yield* changing(
      { tenants: [tenant], from: span.first, to: span.last },
      // A zone that varied by row would silently give a wrong day; the parameter is one constant.
      command(
        "rezone",
        `ALTER TABLE ${TABLES.actions}
         UPDATE zone = {zone:String}, local_day = toDate(toTimeZone(time, {zone:String}))
         WHERE tenant = {tenant:String} AND zone != {zone:String}`,
      ),
    )
  // What is left of other zones sums up to nothing.
  yield* command(
    "rezone",
    `ALTER TABLE ${TABLES.activityDaily} DELETE WHERE tenant = {tenant:String} AND zone != {zone:String}`,
  )
  yield* Effect.logInfo("made the daily rollup for a tenant's zone").pipe(
    Effect.annotateLogs({ tenant, zone, rows: span?.rows ?? 0 }),
  )
})

/** Makes the daily rollups right of tenants whose zone is another one than their rows say. */
export const rezoneTenants = Effect.fn("rezoneTenants")(function* (): Effect.fn.Return<
  void,
  ClickHouseError | NatsError | LeaseLost,
  Writer | ClickHouse
> {
  const { isOwn, zones, zonesSeen } = yield* Writer
  zonesSeen.version = zones.version
  // Another partition's tenants are another owner's.
  for (const tenant of (yield* strayTenants()).filter(isOwn)) yield* rezone(tenant)
})

/** Tells the owner that a tenant's zone has changed. */
export const watchZones = Effect.fnUntraced(function* (doubt: Doubt) {
  const { zones, zonesSeen } = yield* Writer
  return yield* Effect.suspend(() =>
    zones.version === zonesSeen.version ? Effect.void : signal(doubt, "zone_changed"),
  ).pipe(Effect.andThen(Effect.sleep("500 millis")), Effect.forever)
})
