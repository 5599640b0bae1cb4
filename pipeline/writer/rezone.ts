import { Effect } from "effect"
import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { TABLES } from "#schemas/names.ts"
import type { NatsError } from "#nats/connection.ts"
import { Writer } from "./context.ts"
import { ALTER_SETTINGS, DELETE_WITHIN_LEASE, deleteParams, queryId, tooLate, WITHIN_LEASE } from "./fence.ts"
import { firstWholeDay } from "./kept-month.ts"
import { type Doubt, signal } from "./lease.ts"
import type { LeaseLost } from "./ledger.ts"
import { ownRecord } from "./settle.ts"
import { changing } from "./unproved.ts"

// The rollup's order begins with (tenant, zone).
const FOUND = `
SELECT
  tenant AS tenant,
  zone AS zone
FROM ${TABLES.activityDaily}
GROUP BY tenant, zone`

const DAY = 86_400_000

const DAYS = `
SELECT
  toString(toDate(min(time))) AS first,
  toString(toDate(max(time))) AS last,
  count() AS rows
FROM ${TABLES.actions}
WHERE tenant = {tenant:String} AND zone != {zone:String}`

/** Days of the rollup in the tenant's zone that the quarter hours alone can still make. */
const KEPT_DAYS = `
SELECT count() AS days FROM ${TABLES.activityDaily}
WHERE tenant = {tenant:String} AND zone = {zone:String} AND day < {before:Date}`

// The bound by quarter is for the server, which reads by it; a local day ends up to 12 hours after the UTC one.
const IS_OLD = `q.tenant = {tenant:String}
    AND q.quarter < toDateTime({before:Date}, 'UTC') + INTERVAL 1 DAY
    AND toDate(toTimeZone(q.quarter, {zone:String})) < {before:Date}`

const OLD_QUARTERS = `SELECT count() AS quarters FROM ${TABLES.activity15m} AS q WHERE ${IS_OLD}`

// Zones are whole quarter hours away from UTC, so each lies in one local day.
const ADD_KEPT = `
INSERT INTO ${TABLES.activityDaily} (tenant, zone, day, user_id, action, events, quantity, last_at)
SELECT
  q.tenant AS tenant,
  {zone:String} AS zone,
  toDate(toTimeZone(q.quarter, {zone:String})) AS day,
  q.user_id AS user_id,
  q.action AS action,
  sum(q.events) AS events,
  sum(q.quantity) AS quantity,
  max(q.last_at) AS last_at
FROM ${TABLES.activity15m} AS q
WHERE ${IS_OLD}
    AND ${WITHIN_LEASE}
GROUP BY tenant, day, user_id, action`

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
  // Repairs leave out what raw has not whole. The days that both make are the same, and there is no gap at a midnight by which
  // the first whole day leaps, as at the end of February.
  const before = new Date(Date.parse(firstWholeDay(Date.now())) + 2 * DAY).toISOString().slice(0, 10)
  const params = { tenant, zone, before }
  const command = Effect.fnUntraced(function* (statement: string) {
    const record = yield* ownRecord
    yield* store.command(`${statement} AND ${DELETE_WITHIN_LEASE}`, {
      queryId: queryId(record, "rezone"),
      params: { ...params, ...deleteParams(record) },
      settings: ALTER_SETTINGS,
    })
  })
  const keepDays = Effect.gen(function* () {
    const [old] = yield* store.query<{ readonly quarters: number }>(OLD_QUARTERS, { params })
    if (old === undefined || old.quarters === 0) return
    // What was added before this was broken off, or in the zone before the last.
    yield* command(
      `ALTER TABLE ${TABLES.activityDaily}
       DELETE WHERE tenant = {tenant:String} AND zone = {zone:String} AND day < {before:Date}`,
    )
    const [kept] = yield* store.query<{ readonly days: number }>(KEPT_DAYS, { params })
    if (kept?.days !== 0) return yield* tooLate("a deletion of days")
    const record = yield* ownRecord
    yield* store.command(ADD_KEPT, {
      queryId: queryId(record, "rezone"),
      params: { ...params, deadline: record.lease_until },
      // However many months there are.
      settings: { insert_deduplicate: 0, async_insert: 0, max_partitions_per_insert_block: "0" },
    })
  })
  if (span !== undefined && span.rows > 0)
    yield* changing(
      { tenants: [tenant], from: span.first, to: span.last },
      // A zone that varied by row would silently give a wrong day; the parameter is one constant.
      command(
        `ALTER TABLE ${TABLES.actions}
         UPDATE zone = {zone:String}, local_day = toDate(toTimeZone(time, {zone:String}))
         WHERE tenant = {tenant:String} AND zone != {zone:String}`,
      ),
    )
  const [left] = yield* store.query<{ readonly rows: number }>(DAYS, { params })
  if (left?.rows !== 0) return yield* tooLate("a change of rows")
  yield* keepDays
  // What is left of other zones sums up to nothing, or stands in the tenant's zone now.
  yield* command(
    `ALTER TABLE ${TABLES.activityDaily} DELETE WHERE tenant = {tenant:String} AND zone != {zone:String}`,
  )
  yield* Effect.logInfo("made the daily rollup for a tenant's zone").pipe(
    Effect.annotateLogs({ tenant, zone, rows: span?.rows ?? 0 }),
  )
})

/** A zone may change once more meanwhile, and a last statement come too late. */
const TRIES = 5

/** Makes the daily rollups right of tenants whose zone is another one than their rows say. */
export const rezoneTenants = Effect.fn("rezoneTenants")(function* (): Effect.fn.Return<
  void,
  ClickHouseError | NatsError | LeaseLost,
  Writer | ClickHouse
> {
  const { isOwn, zones, zonesSeen } = yield* Writer
  for (let tries = 0; tries < TRIES; tries++) {
    zonesSeen.version = zones.version
    // Another partition's tenants are another owner's.
    const tenants = (yield* strayTenants()).filter(isOwn)
    if (tenants.length === 0) return
    for (const tenant of tenants) yield* rezone(tenant)
  }
  return yield* tooLate("a deletion of days of other zones")
})

/** Tells the owner that a tenant's zone has changed. */
export const watchZones = Effect.fnUntraced(function* (doubt: Doubt) {
  const { zones, zonesSeen } = yield* Writer
  return yield* Effect.suspend(() =>
    zones.version === zonesSeen.version ? Effect.void : signal(doubt, "zone_changed"),
  ).pipe(Effect.andThen(Effect.sleep("500 millis")), Effect.forever)
})
