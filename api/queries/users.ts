import type { ClickHouse, ClickHouseError } from "#clickhouse"
import { Effect } from "effect"
import { METRICS } from "#schemas/catalogue.ts"
import type { UsersParameters } from "#schemas/report-user-insights.ts"
import { type Activity, activityOf } from "./activity.ts"
import { LISTED, memberParams, memberReads, memberRowsWithDays } from "./member-rows.ts"
import { ask } from "./memory.ts"
import { afterPlace, inOrder, type Order, orderParams, type Page, pageOf, type Place } from "./order.ts"
import type { Report } from "./report.ts"
import { userOrder } from "./user-order.ts"

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
  readonly on_page: 0 | 1
  readonly unknown_actors: number
}

/**
 * Rows of the page come first and hold the number of unknown actors, which is over everybody: so one reading of the
 * rollup gives both.
 */
const statement = (activity: Activity, order: Order, place: Place | undefined): string => `
SELECT
  * REPLACE (arrayResize(metrics, ${METRICS.length}) AS metrics),
  ${order.expression} AS sorted_by,
  toUInt8(${LISTED} AND (${afterPlace(order, place)})) AS on_page,
  countIf(unknown) OVER () AS unknown_actors
FROM (${memberRowsWithDays(activity)})
ORDER BY on_page DESC, ${inOrder(order)}
LIMIT {limit:UInt32}`

/** One page of the members who had a live licence at some instant of the range or did something in it. */
export const readUsers = Effect.fn("readUsers")(function* (
  parameters: UsersParameters,
  report: Report,
  place: Place | undefined,
): Effect.fn.Return<Page<UserPageRow>, ClickHouseError, ClickHouse> {
  const activity = activityOf(report)
  const { limit = 50 } = parameters
  const order = userOrder(parameters)
  const found = yield* ask<UserPageRow>(
    report.version,
    statement(activity, order, place),
    { ...memberParams(activity, parameters, report), ...orderParams(order, place, limit) },
    memberReads(report),
  )
  return pageOf(found, limit, ({ user_id }) => user_id)
})
