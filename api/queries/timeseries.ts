import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { Effect } from "effect"
import { METRICS } from "#schemas/catalogue.ts"
import type { TimeseriesParameters } from "#schemas/report-user-insights.ts"
import { ACTIVATES, activityOf, catalogueParams, metricSumsIf } from "./activity.ts"
import { KNOWN, MEMBERS, peopleParams } from "./people.ts"
import { intervalsOf } from "./range.ts"
import type { Report } from "./report.ts"

interface Row {
  readonly start: number
  readonly metrics: ReadonlyArray<number>
  readonly active_users: number
  readonly unknown_actors: number
}

// By interval at once: by user and interval first would hold a row for each pair.
const statement = (rows: string): string => `
SELECT start, metrics, active_users, uniqExactMerge(unknown) OVER () AS unknown_actors
FROM (
  SELECT
    roundDown(position, {starts:Array(UInt32)}) AS start,
    ${metricSumsIf("counted")} AS metrics,
    uniqExactIf(user_id, counted AND ${ACTIVATES}) AS active_users,
    uniqExactStateIf(user_id, unknown) AS unknown
  FROM (
    SELECT
      *,
      user_id IN (${MEMBERS}) AS counted,
      user_id NOT IN (${KNOWN}) AND (empty({user_ids:Array(String)}) OR user_id IN {user_ids:Array(String)}) AS unknown
    FROM (${rows})
  )
  GROUP BY start
)`

export interface Series {
  readonly points: ReadonlyArray<{ readonly date: string } & Readonly<Record<string, string | number>>>
  readonly unknownActors: number
}

/** One row an interval, zeros included. */
export const readTimeseries = Effect.fn("readTimeseries")(function* (
  parameters: TimeseriesParameters,
  report: Report,
): Effect.fn.Return<Series, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  const activity = activityOf(report)
  const dates = intervalsOf(report.range, parameters.interval ?? "day")
  const starts = activity.positionsOf(dates)
  const rows = yield* store.query<Row>(statement(activity.rows), {
    params: { ...activity.params, ...catalogueParams, ...peopleParams(parameters), starts },
  })
  const found = new Map(rows.map((row) => [row.start, row]))
  const metrics = parameters.metric ?? ["active_users"]
  return {
    points: dates.map((date, index) => {
      // A day that the zone skipped has the start of the next, to which what happened belongs.
      const row = starts[index] === starts[index + 1] ? undefined : found.get(starts[index] ?? 0)
      const value = (metric: string) =>
        metric === "active_users" ? row?.active_users : row?.metrics[METRICS.indexOf(metric)]
      return { date, ...Object.fromEntries(metrics.map((metric) => [metric, value(metric) ?? 0])) }
    }),
    unknownActors: rows[0]?.unknown_actors ?? 0,
  }
})
