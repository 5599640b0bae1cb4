import type { ClickHouse, ClickHouseError } from "#clickhouse"
import { Effect } from "effect"
import type { UsersParameters } from "#schemas/report-user-insights.ts"
import {
  ACTIVATES,
  type Activity,
  activityOf,
  activityReads,
  catalogueParams,
  METRIC_SUMS,
} from "./activity.ts"
import { LISTED, memberParams, memberReads, memberRows, memberRowsWithDays } from "./member-rows.ts"
import { ask } from "./memory.ts"
import { afterPlace, inOrder, type Order, orderParams, type Page, pageOf, type Place } from "./order.ts"
import type { Report } from "./report.ts"
import { userOrder } from "./user-order.ts"

interface Listed {
  readonly user_id: string
  readonly name: string | null
  readonly email: string | null
  readonly team_ids: ReadonlyArray<string>
  readonly last_verb: string
  readonly sorted_by: string | number | null
  readonly on_page: 0 | 1
  readonly unknown_actors: number
}

interface Done {
  readonly user_id: string
  readonly active_days: number
  readonly last_at: string | null
  readonly metrics: ReadonlyArray<number>
}

export type UserPageRow = Listed & Done

const STATUS = "multiIf(last_verb IN ('assigned', 'enabled'), 'live', last_verb = '', 'none', last_verb)"
const CHOSEN = `(empty({license_status:Array(String)}) OR ${STATUS} IN {license_status:Array(String)})
    AND ({active:String} = '' OR active = ({active:String} = 'true'))`

/**
 * Who is on the page: of everybody no more is read than what the order needs. Rows of the page come first and hold the
 * number of unknown actors, which is over everybody: so one reading of the rollup gives both.
 */
const listStatement = (activity: Activity, order: Order, place: Place | undefined): string => `
SELECT
  user_id, name, email, team_ids, last_verb,
  ${order.expression} AS sorted_by,
  toUInt8(${LISTED} AND ${CHOSEN} AND (${afterPlace(order, place)})) AS on_page,
  countIf(unknown) OVER () AS unknown_actors
FROM (${(order.expression === "active_days" ? memberRowsWithDays : memberRows)(activity)})
ORDER BY on_page DESC, ${inOrder(order)}
LIMIT {limit:UInt32}`

/** What those of the page did: by day first, so that one reading of the rollup tells the days as well. */
const doneStatement = ({ rows }: Activity): string => `
SELECT
  user_id,
  toInt64(countIf(activating > 0)) AS active_days,
  if(sum(activating) > 0, max(latest), NULL) AS last_at,
  sumForEach(metrics) AS metrics
FROM (
  SELECT
    user_id,
    sum(events) AS done,
    sumIf(events, ${ACTIVATES}) AS activating,
    maxIf(last_at, ${ACTIVATES}) AS latest,
    ${METRIC_SUMS} AS metrics
  FROM (${rows})
  WHERE user_id IN {page_ids:Array(String)}
  GROUP BY user_id, roundDown(position, {days:Array(UInt32)})
)
GROUP BY user_id
HAVING sum(done) > 0`

const NOTHING = { active_days: 0, last_at: null, metrics: [] } as const

/** One page of the members who had a live licence at some instant of the range or did something in it. */
export const readUsers = Effect.fn("readUsers")(function* (
  parameters: UsersParameters,
  report: Report,
  place: Place | undefined,
): Effect.fn.Return<Page<UserPageRow>, ClickHouseError, ClickHouse> {
  const activity = activityOf(report)
  const { limit = 50 } = parameters
  const order = userOrder(parameters)
  const found = yield* ask<Listed>(
    report.version,
    listStatement(activity, order, place),
    {
      ...memberParams(activity, parameters, report),
      ...orderParams(order, place, limit),
      license_status: parameters.license_status ?? [],
      active: parameters.active ?? "",
    },
    memberReads(report),
  )
  const { rows, next, unknownActors } = pageOf(found, limit, ({ user_id }) => user_id)
  const done = yield* ask<Done>(
    report.version,
    doneStatement(activity),
    {
      ...activity.params,
      ...catalogueParams,
      days: activity.positionsOf(report.range.days),
      page_ids: rows.map(({ user_id }) => user_id),
    },
    activityReads(report),
  )
  const byId = new Map(done.map((row) => [row.user_id, row]))
  return {
    rows: rows.map((row) => ({ ...row, ...NOTHING, ...byId.get(row.user_id) })),
    next,
    unknownActors,
  }
})
