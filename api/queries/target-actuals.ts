import type { ClickHouse, ClickHouseError } from "#clickhouse"
import { Effect } from "effect"
import { ACTION_BY_METRIC, METRICS } from "#schemas/catalogue.ts"
import type { TargetPeriod } from "#schemas/target.ts"
import { EVERYBODY } from "../auth/scope.ts"
import { ACTIVATES, activityOf, activityReads, catalogueParams, METRIC_SUMS } from "./activity.ts"
import { ask } from "./memory.ts"
import { PEOPLE, PEOPLE_READS, peopleParams } from "./people.ts"
import type { Report } from "./report.ts"
import type { Parts } from "./target-periods.ts"
import type { Actual, Due, Subject } from "./target-rules.ts"

interface MetricsRow {
  readonly id: string
  readonly start: number
  readonly metrics: ReadonlyArray<number>
}

interface DaysRow {
  readonly id: string
  readonly start: number
  readonly active_days: number
}

/** What each user did in each part: (id, start, metrics). */
const metricsByUser = (rows: string, whom: string): string => `
  SELECT user_id AS id, roundDown(position, {starts:Array(UInt32)}) AS start, ${METRIC_SUMS} AS metrics
  FROM (${rows})
  WHERE action IN {wanted:Array(String)} AND user_id IN (${whom})
  GROUP BY id, start`

/** On how many days of each part each user was active: (id, start, active_days). */
const daysByUser = (rows: string, whom: string): string => `
  SELECT user_id AS id, roundDown(active_day, {starts:Array(UInt32)}) AS start, count() AS active_days
  FROM (
    SELECT user_id, roundDown(position, {days:Array(UInt32)}) AS active_day
    FROM (${rows})
    WHERE ${ACTIVATES} AND user_id IN (${whom})
    GROUP BY user_id, active_day
    HAVING sum(events) > 0
  )
  GROUP BY id, start`

type ByUser = typeof metricsByUser

const MEMBERS = `SELECT user_id, team_ids FROM (${PEOPLE}) WHERE member`

/** A team's sum is over the members that it has now; a day on which two were active counts twice. */
const statement = (kind: Subject["kind"], byUser: ByUser, sum: string, rows: string): string =>
  kind === "user"
    ? byUser(rows, "{subjects:Array(String)}")
    : `
SELECT team_id AS id, start, ${sum}
FROM (${byUser(rows, `SELECT user_id FROM (${MEMBERS})`)}) AS activity
INNER JOIN (
  SELECT user_id, arrayJoin(arrayDistinct(team_ids)) AS team_id FROM (${MEMBERS})
) AS people ON people.user_id = activity.id
WHERE team_id IN {subjects:Array(String)}
GROUP BY team_id, start`

const ACTIVE_DAYS = "active_days"

const keyOf = (period: TargetPeriod, id: string, start: string): string => `${period} ${start} ${id}`

/** What these users or teams did in the weeks and months for which they have a target. */
export const readActuals = Effect.fn("readActuals")(function* (
  report: Report,
  kind: Subject["kind"],
  parts: Parts,
  dues: ReadonlyArray<Due>,
): Effect.fn.Return<Actual, ClickHouseError, ClickHouse> {
  const activity = activityOf(report)
  const reads = [...activityReads(report), ...(kind === "team" ? PEOPLE_READS : [])]
  const metrics = new Map<string, MetricsRow>()
  const days = new Map<string, DaysRow>()
  const look = Effect.fnUntraced(function* (period: TargetPeriod) {
    const wanted = dues.filter((due) => due.period === period)
    const subjects = [...new Set(wanted.map(({ id }) => id))]
    const starts = activity.positionsOf(parts[period].map(({ from }) => from))
    const partAt = new Map(parts[period].map((part, index) => [starts[index], part.start]))
    const params = {
      ...activity.params,
      ...catalogueParams,
      // A team's target is compared with the whole team, whoever asks; who may ask was decided before.
      ...peopleParams(kind === "team" ? { team_id: subjects } : {}, { ...report, scope: EVERYBODY }),
      subjects,
      wanted: [...new Set(wanted.flatMap(({ metric }) => ACTION_BY_METRIC.get(metric)?.type ?? []))],
      starts,
      days: activity.positionsOf(report.range.days),
    }
    const collect = Effect.fnUntraced(function* <Row extends MetricsRow | DaysRow>(
      found: Map<string, Row>,
      byUser: ByUser,
      sum: string,
    ) {
      const asked = statement(kind, byUser, sum, activity.rows)
      for (const row of yield* ask<Row>(report.version, asked, params, reads)) {
        const start = partAt.get(row.start)
        if (start !== undefined) found.set(keyOf(period, row.id, start), row)
      }
    })
    if (wanted.some(({ metric }) => metric !== ACTIVE_DAYS))
      yield* collect(metrics, metricsByUser, "sumForEach(metrics) AS metrics")
    if (wanted.some(({ metric }) => metric === ACTIVE_DAYS))
      yield* collect(days, daysByUser, "sum(active_days) AS active_days")
  })
  yield* Effect.all([look("week"), look("month")], { concurrency: "unbounded" })
  return ({ period, id, part, metric }) => {
    const key = keyOf(period, id, part.start)
    return metric === ACTIVE_DAYS
      ? (days.get(key)?.active_days ?? 0)
      : (metrics.get(key)?.metrics[METRICS.indexOf(metric)] ?? 0)
  }
})
