import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { Effect } from "effect"
import { TABLES } from "#schemas/names.ts"
import { dayNumber } from "#schemas/report-range.ts"
import type { LicensesParameters, ReclaimableLicense } from "#schemas/report-licenses.ts"
import { ACTIVATES, type Activity, activityOf } from "./activity.ts"
import { localTime } from "./local-days.ts"
import { memberParams, memberReads, memberRows } from "./member-rows.ts"
import { ask } from "./memory.ts"
import { readNames } from "./names.ts"
import { afterPlace, COUNT, inOrder, type Order, orderBy, orderParams, pageOf, type Place } from "./order.ts"
import { licenseParams } from "./people.ts"
import { lastInstant } from "./range.ts"
import type { Report } from "./report.ts"

interface Row {
  readonly user_id: string
  readonly name: string | null
  readonly email: string | null
  readonly team_ids: ReadonlyArray<string>
  /** Milliseconds since 1970; -1 when there was none. */
  readonly last_ever: number
  readonly live: number
  readonly active_licenses: number
  readonly disabled: number
  readonly deleted: number
  readonly sorted_by: Place["value"]
  readonly on_page: 0 | 1
  readonly unknown_actors: number
}

/** The latest activity of each, whatever the range. A day's latest time is the same in whatever zone the day is. */
const EVER = `
  SELECT user_id, toUnixTimestamp64Milli(max(last_at)) AS at
  FROM ${TABLES.activityDaily}
  WHERE tenant = {tenant:String} AND ${ACTIVATES}
  GROUP BY user_id
  HAVING sum(events) > 0`

const statement = (activity: Activity, order: Order, place: Place | undefined): string => `
SELECT
  user_id, name, email, team_ids,
  if(ever.at = 0, -1, ever.at) AS last_ever,
  ${order.expression} AS sorted_by,
  toUInt8(member AND licensed AND NOT active AND (${afterPlace(order, place)})) AS on_page,
  countIf(member AND licensed) OVER () AS live,
  countIf(member AND licensed AND active) OVER () AS active_licenses,
  countIf(member AND has_license AND last_verb = 'disabled') OVER () AS disabled,
  countIf(member AND has_license AND last_verb = 'deleted') OVER () AS deleted,
  countIf(unknown) OVER () AS unknown_actors
FROM (${memberRows(activity)}) AS members
LEFT JOIN (${EVER}) AS ever ON ever.user_id = members.user_id
ORDER BY on_page DESC, ${inOrder(order)}
LIMIT {limit:UInt32}`

const SORTS = { last_ever: { expression: "last_ever", ...COUNT } } as const

/** The first event since the last one that ended a licence: since when it is live without a break. */
const SINCE = `
SELECT user_id, minIf(time, time > ended) AS since
FROM (
  SELECT
    user_id, time,
    maxIf(time, verb NOT IN ('assigned', 'enabled')) OVER (PARTITION BY user_id) AS ended
  FROM (
    SELECT user_id, time, argMax(verb, event_id) AS verb
    FROM ${TABLES.licenseEvents}
    WHERE tenant = {tenant:String} AND user_id IN {user_ids:Array(String)}
      AND time < {licensed_until:DateTime64(3, 'UTC')}
    GROUP BY user_id, time
  )
)
GROUP BY user_id`

const readSince = Effect.fnUntraced(function* (
  { tenant, range }: Report,
  user_ids: ReadonlyArray<string>,
): Effect.fn.Return<ReadonlyMap<string, string>, ClickHouseError, ClickHouse> {
  if (user_ids.length === 0) return new Map()
  const store = yield* ClickHouse
  const { licensed_until } = licenseParams(range)
  const rows = yield* store.query<{ readonly user_id: string; readonly since: string }>(SINCE, {
    params: { tenant, user_ids, licensed_until },
  })
  return new Map(rows.map(({ user_id, since }) => [user_id, since]))
})

/** How many licences there are, and a page of those without activity in the range. */
export const readLicenses = Effect.fn("readLicenses")(function* (
  parameters: LicensesParameters,
  report: Report,
) {
  const { tenant, range } = report
  const { limit = 50 } = parameters
  const activity = activityOf(report)
  const order = orderBy(SORTS, "user_id", "last_ever")
  const place = yield* order.cursors.read(tenant, parameters)
  const found: ReadonlyArray<Row> = yield* ask<Row>(
    report.version,
    statement(activity, order, place),
    { ...memberParams(activity, parameters, report), ...orderParams(order, place, limit) },
    [...memberReads(report), { table: TABLES.activityDaily }],
  )
  const { rows, next, unknownActors } = pageOf(found, limit, ({ user_id }) => user_id)
  const { teams, since } = yield* Effect.all(
    {
      teams: readNames(
        report,
        "teams",
        rows.flatMap(({ team_ids }) => team_ids),
      ),
      since: readSince(
        report,
        rows.map(({ user_id }) => user_id),
      ),
    },
    { concurrency: "unbounded" },
  )
  const dayOf = (instant: number): number => dayNumber(localTime(instant, range.zone).slice(0, 10))
  const lastDay = dayOf(lastInstant(range))
  const rowOf = ({ user_id, name, email, team_ids, last_ever }: Row): ReclaimableLicense => ({
    user_id,
    name,
    email,
    teams: team_ids.map((team_id) => ({ team_id, name: teams.get(team_id)?.name ?? null })),
    live_since: since.get(user_id) ?? "",
    last_activity_ever_at: last_ever < 0 ? null : new Date(last_ever).toISOString(),
    idle_days: last_ever < 0 ? null : lastDay - dayOf(last_ever),
  })
  const { live = 0, active_licenses = 0, disabled = 0, deleted = 0 } = found[0] ?? {}
  return {
    data: {
      live,
      active: active_licenses,
      inactive: live - active_licenses,
      disabled,
      deleted,
      reclaim: rows.map(rowOf),
    },
    nextCursor: next === undefined ? null : order.cursors.write(tenant, parameters, next),
    unknownActors,
  }
})
