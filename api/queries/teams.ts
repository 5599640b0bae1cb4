import { Effect } from "effect"
import { METRICS } from "#schemas/catalogue.ts"
import { TABLES } from "#schemas/names.ts"
import type { TeamRow, TeamsParameters } from "#schemas/report-user-insights.ts"
import { type Activity, activityOf } from "./activity.ts"
import { memberParams, memberReads, memberRows } from "./member-rows.ts"
import { ask } from "./memory.ts"
import {
  afterPlace,
  COUNT,
  inOrder,
  type Order,
  orderBy,
  orderParams,
  pageOf,
  type Place,
  RATIO,
  ratio,
  TEXT,
} from "./order.ts"
import type { Report } from "./report.ts"
import { readTeamProgress } from "./target-progress.ts"
import { TEAMS_OF_MEMBER } from "./team-places.ts"

interface Row {
  readonly kind: "team" | "none" | "unknown"
  readonly team_id: string
  readonly name: string | null
  readonly users: number
  readonly total_licenses: number
  readonly active_users: number
  readonly active_licenses: number
  readonly activity_ratio: number | null
  readonly metrics: ReadonlyArray<number>
  readonly totals: ReadonlyArray<number>
  readonly sorted_by: Place["value"]
  readonly on_page: 0 | 1
  readonly unknown_actors: number
}

const SORTS = {
  team_id: { expression: "if(kind = 'team', team_id, NULL)", ...TEXT },
  name: { expression: "lowerUTF8(name)", ...TEXT },
  users: { expression: "toInt64(users)", ...COUNT },
  total_licenses: { expression: "toInt64(total_licenses)", ...COUNT },
  active_users: { expression: "toInt64(active_users)", ...COUNT },
  active_licenses: { expression: "toInt64(active_licenses)", ...COUNT },
  activity_ratio: { expression: ratio("activity_ratio"), ...RATIO },
} as const

const TEAM_NAMES = `
  SELECT team_id, max(record).name AS name, true AS known
  FROM ${TABLES.teams} WHERE tenant = {tenant:String} GROUP BY team_id`

const statement = (activity: Activity, order: Order, place: Place | undefined): string => `
SELECT
  kind, team_id, users, total_licenses, active_users, active_licenses, metrics,
  if(names.known, names.name, NULL) AS name,
  if(total_licenses = 0, NULL, active_licenses / greatest(total_licenses, 1)) AS activity_ratio,
  ${order.expression} AS sorted_by,
  toUInt8(kind != 'unknown' AND (${afterPlace(order, place)})) AS on_page,
  sumForEachIf(metrics, kind != 'unknown') OVER () AS totals,
  toUInt64(sumIf(people, kind = 'unknown') OVER ()) AS unknown_actors
FROM (
  SELECT
    arrayJoin(${TEAMS_OF_MEMBER}) AS counted_in,
    counted_in.1 AS kind,
    counted_in.2 AS team_id,
    count() AS people,
    countIf(has_license OR acted) AS users,
    countIf(licensed) AS total_licenses,
    countIf(active) AS active_users,
    countIf(active AND licensed) AS active_licenses,
    arrayResize(sumForEach(metrics), ${METRICS.length}) AS metrics
  FROM (${memberRows(activity)})
  GROUP BY counted_in
) AS teams
LEFT JOIN (${TEAM_NAMES}) AS names ON names.team_id = teams.team_id
ORDER BY on_page DESC, ${inOrder(order)}
LIMIT {limit:UInt32}`

const byMetric = <Value>(of: (index: number) => Value): Readonly<Record<string, Value>> =>
  Object.fromEntries(METRICS.map((metric, index) => [metric, of(index)]))

const rowOf = (row: Row): TeamRow => {
  const shareOf = (index: number): number | null => {
    const total = row.totals[index] ?? 0
    return total === 0 ? null : (row.metrics[index] ?? 0) / total
  }
  return {
    team_id: row.kind === "team" ? row.team_id : null,
    name: row.name,
    users: row.users,
    total_licenses: row.total_licenses,
    active_users: row.active_users,
    active_licenses: row.active_licenses,
    activity_ratio: row.activity_ratio,
    metrics: byMetric((index) => row.metrics[index] ?? 0),
    shares: byMetric(shareOf),
  }
}

/** A page of the teams that have a member in the population, and a row for the members who are in no team. */
export const readTeamPage = Effect.fn("readTeamPage")(function* (
  parameters: TeamsParameters,
  report: Report,
) {
  const activity = activityOf(report)
  const { limit = 50, sort = "team_id" } = parameters
  const order = orderBy(SORTS, "team_id", sort)
  const place = yield* order.cursors.read(report.tenant, parameters)
  const found: ReadonlyArray<Row> = yield* ask<Row>(
    report.version,
    statement(activity, order, place),
    { ...memberParams(activity, parameters, report), ...orderParams(order, place, limit) },
    [...memberReads(report), { table: TABLES.teams }],
  )
  const { rows, next, unknownActors } = pageOf(found, limit, ({ team_id }) => team_id)
  const progress =
    parameters.targets === "true"
      ? yield* readTeamProgress(
          report,
          rows.flatMap(({ kind, team_id }) => (kind === "team" ? [team_id] : [])),
        )
      : undefined
  return {
    rows: rows.map((row) => ({
      ...rowOf(row),
      ...(progress === undefined ? {} : { targets: progress.get(row.team_id) ?? [] }),
    })),
    nextCursor: next === undefined ? null : order.cursors.write(report.tenant, parameters, next),
    unknownActors,
  }
})
