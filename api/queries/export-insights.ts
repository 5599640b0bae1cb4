import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { Effect } from "effect"
import { METRICS } from "#schemas/catalogue.ts"
import type { Snapshot, UserInsightsRequest } from "#schemas/export.ts"
import { TABLES } from "#schemas/names.ts"
import type { Scope } from "../auth/scope.ts"
import { ACTIVATES, type Activity } from "./activity.ts"
import { type Cells, type Exported, longCell, textCell } from "./export-cells.ts"
import { startsOfDays } from "./local-days.ts"
import { LISTED, memberParams, memberRows, memberRowsWithDays } from "./member-rows.ts"
import { PINNED, pinParams } from "./pin.ts"
import { type Range, rangeOf } from "./range.ts"
import { dateTime } from "./statement.ts"

const QUARTER = 900_000

/**
 * The log is kept for 27 months and takes in what is 25.5 months old at most. What is older than 26 months can only be
 * in a rollup, and nothing new can come to it; what is younger is in the log, which can be read up to a place of the stream.
 */
const LOG_KEPT = 790 * 86_400_000

const logFrom = (now: number): number => Math.floor((now - LOG_KEPT) / QUARTER) * QUARTER

/** What members did from one instant to another, as of the snapshot's place in the stream: the rows of an `Activity`. */
const activityBetween = (from: string, to: string): string => `
  SELECT user_id, action, events, quantity, last_at, toUnixTimestamp(quarter) AS position
  FROM ${TABLES.activity15m}
  WHERE tenant = {tenant:String} AND quarter >= ${from} AND quarter < least(${to}, {log_from:DateTime('UTC')})
  UNION ALL
  SELECT
    actor_id AS user_id, type AS action, toInt64(1) AS events, toInt64(actions.quantity) AS quantity, time AS last_at,
    toUnixTimestamp(time) AS position
  FROM ${TABLES.actions} AS actions
  WHERE tenant = {tenant:String} AND time >= greatest(${from}, {log_from:DateTime('UTC')}) AND time < ${to}
    AND actor_type = 'member' AND NOT automated AND impersonator_id = ''
    AND ${PINNED}`

const IN_RANGE = activityBetween("{start:DateTime('UTC')}", "{end:DateTime('UTC')}")
const EVER = activityBetween("toDateTime(0, 'UTC')", "toDateTime('2106-01-01 00:00:00', 'UTC')")

const activityOf = ({ tenant, pin, now }: Snapshot, { start, end, zone }: Range): Activity => ({
  rows: IN_RANGE,
  params: {
    tenant,
    start: dateTime(start),
    end: dateTime(end),
    log_from: dateTime(logFrom(now)),
    ...pinParams(pin),
  },
  positionsOf: (days) => startsOfDays(days, zone).map((first) => first / 1000),
})

/** The latest activity of each whatever the range. A rollup's key counts when its corrections do not sum to nothing. */
const LAST_EVER = `
  SELECT user_id, max(last_at) AS last_ever_at
  FROM (
    SELECT user_id, action, max(last_at) AS last_at
    FROM (${EVER})
    WHERE ${ACTIVATES}
    GROUP BY user_id, action, position
    HAVING sum(events) > 0
  )
  GROUP BY user_id`

const STATUS = `multiIf(
    last_verb IN ('assigned', 'enabled'), 'live',
    last_verb = '', 'none',
    last_verb)`

/** A team that the directory does not know goes by its id. */
const TEAM_NAMES = `arrayStringConcat(
    arrayMap(
      id -> if(has(teams.ids, id), teams.names[indexOf(teams.ids, id)], id),
      team_ids),
    '; ')`

const NAMES = [
  "user_id",
  "name",
  "email",
  "teams",
  "license_status",
  "is_active",
  "active_days",
  "last_tracked_activity_at",
  "last_activity_ever_at",
  ...METRICS,
]

const columns = (cells: Cells): ReadonlyArray<string> => [
  textCell(cells, "members.user_id"),
  textCell(cells, "ifNull(members.name, '')"),
  textCell(cells, "ifNull(members.email, '')"),
  longCell(cells, "members.team_names"),
  textCell(cells, "members.license_status"),
  cells.flag("members.active_days > 0"),
  cells.count("members.active_days"),
  cells.instant("if(members.active_days > 0, members.last_at, NULL)"),
  cells.instant("nullIf(ever.last_ever_at, toDateTime64(0, 3, 'UTC'))"),
  ...METRICS.map((_, index) => cells.count(`members.metrics[${index + 1}]`)),
]

const statement = (activity: Activity, cells: Cells): string => `
SELECT
  ${columns(cells)
    .map((expression, index) => `${expression} AS ${NAMES[index]}`)
    .join(",\n  ")}
FROM (
  SELECT
    * REPLACE (arrayResize(metrics, ${METRICS.length}) AS metrics),
    ${STATUS} AS license_status,
    ${TEAM_NAMES} AS team_names
  FROM (${memberRowsWithDays(activity)}) AS rows
  CROSS JOIN (
    SELECT groupArray(team_id) AS ids, groupArray(name) AS names
    FROM (
      SELECT team_id, max(record).name AS name FROM ${TABLES.teams} WHERE tenant = {tenant:String} GROUP BY team_id
    )
  ) AS teams
  WHERE ${LISTED}
) AS members
LEFT JOIN (${LAST_EVER}) AS ever ON ever.user_id = members.user_id
ORDER BY members.user_id`

const countStatement = (activity: Activity): string => `
SELECT count() AS rows FROM (${memberRows(activity)}) WHERE ${LISTED}`

/**
 * The users report of a snapshot whole, by user id, and how many rows it has. Rollups grow with the stream, so the log
 * itself is counted.
 */
export const exportInsights = Effect.fn("exportInsights")(function* (
  request: UserInsightsRequest,
  snapshot: Snapshot,
): Effect.fn.Return<Exported, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  const { from, to, zone, now, hide_names } = snapshot
  const scope: Scope = snapshot.scope
  const range = rangeOf(from, to, zone, now)
  const activity = activityOf(snapshot, range)
  const params = memberParams(activity, request, { range, scope, settings: { hide_names } })
  const [counted] = yield* store.query<{ readonly rows: number }>(countStatement(activity), { params })
  return {
    rows: counted?.rows ?? 0,
    exported: {
      names: NAMES,
      statement: (cells) => statement(activity, cells),
      params,
      settings: {},
    },
  }
})
