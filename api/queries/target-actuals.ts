import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { Effect } from "effect"
import { METRICS } from "#schemas/catalogue.ts"
import type { TargetPeriod } from "#schemas/target.ts"
import { EVERYBODY } from "../auth/scope.ts"
import { ACTIVATES, activityOf, catalogueParams, METRIC_SUMS } from "./activity.ts"
import { PEOPLE, peopleParams } from "./people.ts"
import type { Report } from "./report.ts"
import type { Parts } from "./target-periods.ts"
import type { Actual, Due, Subject } from "./target-rules.ts"

interface Row {
  readonly id: string
  readonly start: number
  readonly metrics: ReadonlyArray<number>
  readonly active_days: number
}

/** What each user did in each part. */
const byUser = (rows: string, whom: string): string => `
  SELECT
    user_id AS id,
    roundDown(position, {starts:Array(UInt32)}) AS start,
    ${METRIC_SUMS} AS metrics,
    uniqExactIf(roundDown(position, {days:Array(UInt32)}), ${ACTIVATES}) AS active_days
  FROM (${rows})
  WHERE user_id IN (${whom})
  GROUP BY id, start`

const ofUsers = (rows: string): string => byUser(rows, "{subjects:Array(String)}")

const MEMBERS = `SELECT user_id, team_ids FROM (${PEOPLE}) WHERE member`

/** A team's sum is over the members that it has now; a day on which two were active counts twice. */
const ofTeams = (rows: string): string => `
SELECT team_id AS id, start, sumForEach(metrics) AS metrics, sum(active_days) AS active_days
FROM (${byUser(rows, `SELECT user_id FROM (${MEMBERS})`)}) AS activity
INNER JOIN (
  SELECT user_id, arrayJoin(arrayDistinct(team_ids)) AS team_id FROM (${MEMBERS})
) AS people ON people.user_id = activity.id
WHERE team_id IN {subjects:Array(String)}
GROUP BY team_id, start`

const keyOf = (period: TargetPeriod, id: string, start: string): string => `${period} ${start} ${id}`

/** What these users or teams did in the weeks and months for which they have a target. */
export const readActuals = Effect.fn("readActuals")(function* (
  report: Report,
  kind: Subject["kind"],
  parts: Parts,
  dues: ReadonlyArray<Due>,
): Effect.fn.Return<Actual, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  const activity = activityOf(report)
  const found = new Map<string, Row>()
  const look = Effect.fnUntraced(function* (period: TargetPeriod) {
    const wanted = dues.filter((due) => due.period === period)
    if (wanted.length === 0) return
    const subjects = [...new Set(wanted.map(({ id }) => id))]
    const starts = activity.positionsOf(parts[period].map(({ from }) => from))
    const rows = yield* store.query<Row>((kind === "team" ? ofTeams : ofUsers)(activity.rows), {
      params: {
        ...activity.params,
        ...catalogueParams,
        // A team's target is compared with the whole team, whoever asks; who may ask was decided before.
        ...peopleParams(kind === "team" ? { team_id: subjects } : {}, { ...report, scope: EVERYBODY }),
        subjects,
        starts,
        days: activity.positionsOf(report.range.days),
      },
    })
    const partAt = new Map(parts[period].map((part, index) => [starts[index], part.start]))
    for (const row of rows) {
      const start = partAt.get(row.start)
      if (start !== undefined) found.set(keyOf(period, row.id, start), row)
    }
  })
  yield* Effect.all([look("week"), look("month")], { concurrency: "unbounded" })
  return ({ period, id, part, metric }) => {
    const row = found.get(keyOf(period, id, part.start))
    if (row === undefined) return 0
    return metric === "active_days" ? row.active_days : (row.metrics[METRICS.indexOf(metric)] ?? 0)
  }
})
