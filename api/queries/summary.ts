import type { ClickHouse, ClickHouseError } from "#clickhouse"
import { Effect } from "effect"
import { METRICS } from "#schemas/catalogue.ts"
import type { SummaryParameters } from "#schemas/report-user-insights.ts"
import { type Activity, activityOf } from "./activity.ts"
import { memberParams, memberReads, memberRows } from "./member-rows.ts"
import { ask, askOnce } from "./memory.ts"
import { isCut, previousOf } from "./range.ts"
import type { Report } from "./report.ts"

interface Row {
  readonly total_licenses: number
  readonly active_users: number
  readonly active_licenses: number
  readonly metrics: ReadonlyArray<number>
  readonly unknown_actors: number
}

const statement = (activity: Activity): string => `
SELECT
  countIf(member AND licensed) AS total_licenses,
  countIf(member AND active) AS active_users,
  countIf(member AND active AND licensed) AS active_licenses,
  sumForEachIf(metrics, member) AS metrics,
  countIf(unknown) AS unknown_actors
FROM (${memberRows(activity)})`

type Numbers = Readonly<Record<string, number | null>>

interface SummaryNumbers {
  readonly numbers: Numbers
  readonly unknownActors: number
}

/** The KPIs and every metric over the population. */
const readSummary = Effect.fn("readSummary")(function* (
  parameters: SummaryParameters,
  report: Report,
): Effect.fn.Return<SummaryNumbers, ClickHouseError, ClickHouse> {
  const activity = activityOf(report)
  const rows = yield* (isCut(report.range) ? askOnce : ask)<Row>(
    report.version,
    statement(activity),
    memberParams(activity, parameters, report),
    memberReads(report),
  )
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

const changeOf = (value: number | null, previous: number | null): number | null =>
  value === null || previous === null || previous === 0 ? null : (value - previous) / previous

const compared = (numbers: Numbers, before: Numbers) =>
  Object.fromEntries(
    Object.entries(numbers).map(([metric, value]) => {
      const previous = before[metric] ?? null
      return [metric, { value, previous, change: changeOf(value, previous) }]
    }),
  )

/** The numbers, beside those of the period before where they are asked for, with the directory as it is now. */
export const readComparedSummary = Effect.fn("readComparedSummary")(function* (
  parameters: SummaryParameters,
  report: Report,
) {
  const { numbers, unknownActors } = yield* readSummary(parameters, report)
  if (parameters.compare === undefined)
    return {
      data: Object.fromEntries(Object.entries(numbers).map(([metric, value]) => [metric, { value }])),
      meta: { unknown_actors: unknownActors },
    }
  const range = previousOf(report.range)
  const before = yield* readSummary(parameters, { ...report, range })
  return {
    data: compared(numbers, before.numbers),
    meta: {
      unknown_actors: unknownActors,
      previous: { from: range.from, to: range.to, until: new Date(range.until).toISOString() },
    },
  }
})
