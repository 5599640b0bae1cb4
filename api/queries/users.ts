import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { Effect } from "effect"
import { METRICS } from "#schemas/catalogue.ts"
import type { UsersParameters } from "#schemas/report-user-insights.ts"
import { ACTIVATES, activityOf, catalogueParams, METRIC_SUMS } from "./activity.ts"
import { LICENSES, licenseParams, PEOPLE, peopleParams, UNKNOWN } from "./people.ts"
import type { Report } from "./report.ts"
import { afterPlace, type Order, orderOf, type Place, sortedBy } from "./user-order.ts"

export interface UserPageRow {
  readonly user_id: string
  readonly name: string | null
  readonly email: string | null
  readonly team_ids: ReadonlyArray<string>
  readonly last_verb: string
  readonly active_days: number
  readonly last_at: string | null
  readonly metrics: ReadonlyArray<number>
  readonly sorted_by: string | number | null
}

interface Row extends UserPageRow {
  readonly on_page: 0 | 1
  readonly unknown_actors: number
}

/**
 * Rows of the page come first and hold the number of unknown actors, which is over everybody: so one reading of the
 * rollup gives both.
 */
const statement = (rows: string, order: Order, place: Place | undefined): string => `
SELECT
  *,
  ${sortedBy(order)} AS sorted_by,
  toUInt8(member AND (has_license OR acted) AND (${place === undefined ? "true" : afterPlace(order, place)})) AS on_page,
  countIf(unknown) OVER () AS unknown_actors
FROM (
  SELECT
    people.user_id AS user_id,
    people.member AS member,
    people.name AS name,
    people.email AS email,
    people.team_ids AS team_ids,
    licenses.last_verb AS last_verb,
    licenses.live_at_some_time AS has_license,
    notEmpty(activity.metrics) AS acted,
    activity.active_days AS active_days,
    if(active_days > 0, activity.last_at, NULL) AS last_at,
    arrayResize(activity.metrics, ${METRICS.length}) AS metrics,
    ${UNKNOWN} AS unknown
  FROM (
    SELECT
      user_id,
      ${METRIC_SUMS} AS metrics,
      uniqExactIf(roundDown(position, {days:Array(UInt32)}), ${ACTIVATES}) AS active_days,
      maxIf(last_at, ${ACTIVATES}) AS last_at
    FROM (${rows}) GROUP BY user_id
  ) AS activity
  FULL JOIN (${PEOPLE}) AS people ON people.user_id = activity.user_id
  LEFT JOIN (${LICENSES}) AS licenses ON licenses.user_id = people.user_id
)
ORDER BY on_page DESC, sorted_by ${order.descending ? "DESC" : "ASC"} NULLS LAST, user_id
LIMIT {limit:UInt32}`

export interface UserPage {
  readonly rows: ReadonlyArray<UserPageRow>
  /** Undefined when this is the last page. */
  readonly next: Place | undefined
  readonly unknownActors: number
}

/** One page of the members who had a live licence at some instant of the range or did something in it. */
export const readUsers = Effect.fn("readUsers")(function* (
  parameters: UsersParameters,
  report: Report,
  place: Place | undefined,
): Effect.fn.Return<UserPage, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  const activity = activityOf(report)
  const { limit = 50 } = parameters
  const order = orderOf(parameters)
  const found = yield* store.query<Row>(statement(activity.rows, order, place), {
    params: {
      ...activity.params,
      ...catalogueParams,
      ...peopleParams(parameters, report),
      ...licenseParams(report.range),
      days: activity.positionsOf(report.range.days),
      metric: order.metric,
      after_value: place?.value ?? "",
      after_id: place?.id ?? "",
      limit: limit + 1,
    },
  })
  const onPage = found.filter((row) => row.on_page === 1)
  const rows = onPage.slice(0, limit)
  const last = rows.at(-1)
  return {
    rows,
    next:
      onPage.length > limit && last !== undefined ? { value: last.sorted_by, id: last.user_id } : undefined,
    unknownActors: found[0]?.unknown_actors ?? 0,
  }
})
