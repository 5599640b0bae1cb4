import { Effect } from "effect"
import { ClickHouse } from "#clickhouse"
import { TABLES } from "#schemas/names.ts"
import { ALTER_SETTINGS, DELETE_WITHIN_LEASE, deleteParams, queryId, tooLate, WITHIN_LEASE } from "./fence.ts"
import { firstWholeDay } from "./kept-month.ts"
import { ownRecord } from "./settle.ts"

const DAY = 86_400_000

/** Days of the rollup in the tenant's zone that the quarter hours alone can still make. */
const KEPT_DAYS = `
SELECT count() AS days FROM ${TABLES.activityDaily}
WHERE tenant = {tenant:String} AND zone = {zone:String} AND day < {before:Date}`

// The bound by quarter is for the server, which reads by it; a local day ends up to 12 hours after the UTC one.
const IS_OLD = `q.tenant = {tenant:String}
    AND q.quarter < toDateTime({before:Date}, 'UTC') + INTERVAL 1 DAY
    AND toDate(toTimeZone(q.quarter, {zone:String})) < {before:Date}`

const OLD_MONTHS = `
SELECT DISTINCT toYYYYMM(q.quarter) AS month
FROM ${TABLES.activity15m} AS q
WHERE ${IS_OLD}
ORDER BY month`

// Zones are whole quarter hours away from UTC, so each lies in one local day. A day of two months gets its sums in two rows.
const ADD_MONTH = `
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
    AND toYYYYMM(q.quarter) = {month:UInt32}
    AND ${WITHIN_LEASE}
GROUP BY tenant, day, user_id, action`

/**
 * Makes the daily rollup of a tenant's new zone for days that raw does not have whole any more, a month at a time: history grows
 * for as long as there is a store, and the memory of a statement does not.
 */
export const keepDays = Effect.fn("keepDays")(function* (tenant: string, zone: string) {
  const store = yield* ClickHouse
  // Repairs leave out what raw has not whole. The days that both make are the same, and there is no gap at a midnight by which
  // the first whole day leaps, as at the end of February.
  const before = new Date(Date.parse(firstWholeDay(Date.now())) + 2 * DAY).toISOString().slice(0, 10)
  const params = { tenant, zone, before }
  const months = yield* store.query<{ readonly month: number }>(OLD_MONTHS, { params })
  if (months.length === 0) return
  const mine = yield* ownRecord
  // What was added before this was broken off, or in the zone before the last.
  yield* store.command(
    `ALTER TABLE ${TABLES.activityDaily}
     DELETE WHERE tenant = {tenant:String} AND zone = {zone:String} AND day < {before:Date} AND ${DELETE_WITHIN_LEASE}`,
    {
      queryId: queryId(mine, "rezone"),
      params: { ...params, ...deleteParams(mine) },
      settings: ALTER_SETTINGS,
    },
  )
  const [kept] = yield* store.query<{ readonly days: number }>(KEPT_DAYS, { params })
  if (kept?.days !== 0) return yield* tooLate("a deletion of days")
  for (const { month } of months) {
    const record = yield* ownRecord
    yield* store.command(ADD_MONTH, {
      queryId: queryId(record, "rezone"),
      params: { ...params, month, deadline: record.lease_until },
      settings: { insert_deduplicate: 0, async_insert: 0 },
    })
  }
})
