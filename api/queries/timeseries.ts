import { Effect } from "effect"
import type { ClickHouse, ClickHouseError } from "#clickhouse"
import { ACTION_BY_METRIC } from "#schemas/catalogue.ts"
import type { TimeseriesParameters } from "#schemas/report-user-insights.ts"
import { ACTIVATES, activityOf, activityReads, catalogueParams } from "./activity.ts"
import { MEMBERS, PEOPLE, PEOPLE_READS, peopleParams, UNKNOWN } from "./people.ts"
import { ask } from "./memory.ts"
import { intervalsOf } from "./range.ts"
import type { Report } from "./report.ts"

const START = "roundDown(position, {starts:Array(UInt32)})"

/**
 * Active users by interval. Each user's intervals first, as one array a user: few groups, whatever the number of
 * intervals. Users whom the directory does not know are counted in an interval of their own, which begins at 0.
 */
const usersStatement = (rows: string): string => `
SELECT start, count() AS users
FROM (
  SELECT arrayJoin(multiIf(
    people.member, arrayFilter((start, events) -> events > 0, {starts:Array(UInt32)}, activity.activating),
    ${UNKNOWN}, [0],
    [])) AS start
  FROM (
    SELECT
      user_id,
      sumResample(0, {intervals:UInt32}, 1)(
        if(${ACTIVATES}, events, 0), transform(${START}, {starts:Array(UInt32)}, range({intervals:UInt32}), {intervals:UInt32})
      ) AS activating
    FROM (${rows})
    GROUP BY user_id
    HAVING sum(events) > 0
  ) AS activity
  LEFT JOIN (${PEOPLE}) AS people ON people.user_id = activity.user_id
)
GROUP BY start`

const metricsStatement = (rows: string): string => `
SELECT ${START} AS start, action, sum(quantity) AS value
FROM (${rows})
WHERE action IN {asked:Array(String)} AND user_id IN (${MEMBERS})
GROUP BY start, action`

interface MetricRow {
  readonly start: number
  readonly action: string
  readonly value: number
}

export interface Series {
  readonly points: ReadonlyArray<{ readonly date: string } & Readonly<Record<string, string | number>>>
  readonly unknownActors: number
}

/** One row an interval, zeros included. */
export const readTimeseries = Effect.fn("readTimeseries")(function* (
  parameters: TimeseriesParameters,
  report: Report,
): Effect.fn.Return<Series, ClickHouseError, ClickHouse> {
  const activity = activityOf(report)
  const { metric: asked = ["active_users"] } = parameters
  const dates = intervalsOf(report.range, parameters.interval ?? "day")
  const starts = activity.positionsOf(dates)
  const params = {
    ...activity.params,
    ...catalogueParams,
    ...peopleParams(parameters, report),
    starts,
    intervals: starts.length,
  }
  const reads = [...activityReads(report), ...PEOPLE_READS]
  const { users, metrics } = yield* Effect.all(
    {
      users: ask<{ readonly start: number; readonly users: number }>(
        report.version,
        usersStatement(activity.rows),
        params,
        reads,
      ),
      metrics: asked.some((metric) => metric !== "active_users")
        ? ask<MetricRow>(
            report.version,
            metricsStatement(activity.rows),
            { ...params, asked: asked.flatMap((metric) => ACTION_BY_METRIC.get(metric)?.type ?? []) },
            reads,
          )
        : Effect.succeed([]),
    },
    { concurrency: "unbounded" },
  )
  const usersAt = new Map(users.map((row) => [row.start, row.users]))
  const metricsAt = new Map(metrics.map(({ start, action, value }) => [`${start} ${action}`, value]))
  return {
    points: dates.map((date, index) => {
      // A day that the zone skipped has the start of the next, to which what happened belongs.
      const start = starts[index] === starts[index + 1] ? undefined : starts[index]
      const valueOf = (metric: string): number =>
        (start === undefined
          ? undefined
          : metric === "active_users"
            ? usersAt.get(start)
            : metricsAt.get(`${start} ${ACTION_BY_METRIC.get(metric)?.type}`)) ?? 0
      return { date, ...Object.fromEntries(asked.map((metric) => [metric, valueOf(metric)])) }
    }),
    unknownActors: usersAt.get(0) ?? 0,
  }
})
