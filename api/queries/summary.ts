import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { Effect } from "effect"
import { METRICS } from "#schemas/catalogue.ts"
import type { SummaryParameters } from "#schemas/report-user-insights.ts"
import { ACTIVATES, activityOf, catalogueParams, METRIC_SUMS } from "./activity.ts"
import { LICENSES, licenseParams, PEOPLE, peopleParams, UNKNOWN } from "./people.ts"
import type { Report } from "./report.ts"

interface Row {
  readonly total_licenses: number
  readonly active_users: number
  readonly active_licenses: number
  readonly metrics: ReadonlyArray<number>
  readonly unknown_actors: number
}

/** Everything by user first, then the directory beside it; whoever acted and is not in it is unknown. */
const statement = (rows: string): string => `
WITH multiIf(
    {license_basis:String} = 'any', licenses.live_at_some_time,
    {license_basis:String} = 'whole', licenses.live_throughout,
    licenses.live_at_end) AS licensed
SELECT
  countIf(people.member AND licensed) AS total_licenses,
  countIf(people.member AND activity.active) AS active_users,
  countIf(people.member AND activity.active AND licensed) AS active_licenses,
  sumForEachIf(activity.metrics, people.member) AS metrics,
  countIf(${UNKNOWN}) AS unknown_actors
FROM (
  SELECT user_id, ${METRIC_SUMS} AS metrics, max(${ACTIVATES}) AS active
  FROM (${rows}) GROUP BY user_id
) AS activity
FULL JOIN (${PEOPLE}) AS people ON people.user_id = activity.user_id
LEFT JOIN (${LICENSES}) AS licenses ON licenses.user_id = people.user_id`

export interface SummaryNumbers {
  readonly numbers: Readonly<Record<string, number | null>>
  readonly unknownActors: number
}

/** The KPIs and every metric over the population. */
export const readSummary = Effect.fn("readSummary")(function* (
  parameters: SummaryParameters,
  report: Report,
): Effect.fn.Return<SummaryNumbers, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  const activity = activityOf(report)
  const rows = yield* store.query<Row>(statement(activity.rows), {
    params: {
      ...activity.params,
      ...catalogueParams,
      ...peopleParams(parameters, report),
      ...licenseParams(report.range),
      license_basis: parameters.license_basis ?? "end",
    },
  })
  const {
    total_licenses = 0,
    active_users = 0,
    active_licenses = 0,
    metrics = [],
    unknown_actors = 0,
  } = rows[0] ?? {}
  return {
    numbers: {
      total_licenses,
      active_users,
      active_licenses,
      active_without_license: active_users - active_licenses,
      activity_ratio: total_licenses === 0 ? null : active_licenses / total_licenses,
      ...Object.fromEntries(METRICS.map((metric, index) => [metric, metrics[index] ?? 0])),
    },
    unknownActors: unknown_actors,
  }
})
