import { Effect } from "effect"
import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { TABLES } from "#schemas/names.ts"
import type { NatsError } from "#nats/connection.ts"
import { Writer } from "./context.ts"
import { ALTER_SETTINGS, DELETE_WITHIN_LEASE, deleteParams, queryId, tooLate } from "./fence.ts"
import { keepDays } from "./keep-days.ts"
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
const rezone = Effect.fn("rezone")(function* (tenant: string, zone: string) {
  const store = yield* ClickHouse
  const found = yield* store.query<{ readonly first: string; readonly last: string; readonly rows: number }>(
    DAYS,
    {
      params: { tenant, zone },
    },
  )
  const [span] = found
  const params = { tenant, zone }
  const command = Effect.fnUntraced(function* (statement: string) {
    const record = yield* ownRecord
    yield* store.command(`${statement} AND ${DELETE_WITHIN_LEASE}`, {
      queryId: queryId(record, "rezone"),
      params: { ...params, ...deleteParams(record) },
      settings: ALTER_SETTINGS,
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
  yield* keepDays(tenant, zone)
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

/** Of ClickHouse, for a zone that it does not know. */
const BAD_ARGUMENTS = 36

/** Milliseconds until a zone is tried again that the store did not know. */
const AGAIN = 600_000

/**
 * Whether the store can reckon in a zone. One that it does not know is that tenant's trouble, and no reason to keep others'
 * events waiting: its reports answer from the quarter hours. Asked first, as a mutation that fails on the way goes on by itself.
 */
const isKnown = (zone: string): Effect.Effect<boolean, ClickHouseError, ClickHouse> =>
  ClickHouse.use((store) =>
    store.query("SELECT toTimeZone(now(), {zone:String})", { params: { zone } }),
  ).pipe(
    Effect.as(true),
    Effect.catchIf(
      ({ code }) => code === BAD_ARGUMENTS,
      () => Effect.succeed(false),
    ),
  )

/** Makes the daily rollups right of tenants whose zone is another one than their rows say. */
export const rezoneTenants = Effect.fn("rezoneTenants")(function* (): Effect.fn.Return<
  void,
  ClickHouseError | NatsError | LeaseLost,
  Writer | ClickHouse
> {
  const { isOwn, zones, zonesSeen } = yield* Writer
  const unknown = new Set<string>()
  for (let tries = 0; tries < TRIES; tries++) {
    zonesSeen.version = zones.version
    // Another partition's tenants are another owner's.
    const tenants = (yield* strayTenants()).filter(
      (tenant) => isOwn(tenant) && !unknown.has(zones.of(tenant)),
    )
    if (tenants.length === 0) {
      zonesSeen.again = unknown.size === 0 ? Infinity : Date.now() + AGAIN
      return
    }
    for (const tenant of tenants) {
      const zone = zones.of(tenant)
      if (yield* isKnown(zone)) yield* rezone(tenant, zone)
      else {
        unknown.add(zone)
        yield* Effect.logError(
          "the store does not know the zone of the tenant, whose reports take longer",
        ).pipe(Effect.annotateLogs({ tenant, zone }))
      }
    }
  }
  return yield* tooLate("a deletion of days of other zones")
})

/** Tells the owner that a tenant's zone has changed, or is to be tried again. */
export const watchZones = Effect.fnUntraced(function* (doubt: Doubt) {
  const { zones, zonesSeen } = yield* Writer
  return yield* Effect.suspend(() =>
    zones.version === zonesSeen.version && Date.now() < zonesSeen.again
      ? Effect.void
      : signal(doubt, "zone_changed"),
  ).pipe(Effect.andThen(Effect.sleep("500 millis")), Effect.forever)
})
