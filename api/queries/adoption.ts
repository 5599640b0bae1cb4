import type { ClickHouse, ClickHouseError } from "#clickhouse"
import { Effect } from "effect"
import { TABLES } from "#schemas/names.ts"
import type { AdoptionParameters, Cohort } from "#schemas/report-adoption.ts"
import { dateOf, dayNumber } from "#schemas/report-range.ts"
import { ACTIVATES, type Activity, activityOf, activityReads, catalogueParams } from "./activity.ts"
import { localTime, startsOfDays } from "./local-days.ts"
import { ask } from "./memory.ts"
import { MEMBERS, PEOPLE_READS, peopleParams } from "./people.ts"
import { intervalsOf, rangeOf } from "./range.ts"
import type { Report } from "./report.ts"
import { dateTime64 } from "./statement.ts"

interface Row {
  readonly cohort: number
  readonly users: number
  readonly ever_active: number
  readonly median: number | null
  readonly active_first_week: number
  readonly first_week_under_way: number
  readonly reached: ReadonlyArray<number>
  readonly active: ReadonlyArray<number>
}

// Days as whole numbers since 1970: of an instant, and of a row's position in the rollup.
const DAY_OF_FIRST = `transform(roundDown(toUInt32(toUnixTimestamp(min(time))), {starts:Array(UInt32)}),
      {starts:Array(UInt32)}, {day_numbers:Array(UInt32)}, toUInt32(0))`
const DAY_OF_ROW = `transform(roundDown(position, {days:Array(UInt32)}),
      {days:Array(UInt32)}, {day_numbers:Array(UInt32)}, toUInt32(0))`

/** Who got a first licence in the range, and on which day. */
const FIRST_LICENSES = `
  SELECT user_id, ${DAY_OF_FIRST} AS assigned
  FROM (
    SELECT user_id, time, argMax(verb, event_id) AS verb
    FROM ${TABLES.licenseEvents}
    WHERE tenant = {tenant:String} AND time <= {now:DateTime64(3, 'UTC')}
    GROUP BY user_id, time
  )
  WHERE verb IN ('assigned', 'enabled') AND user_id IN (${MEMBERS})
  GROUP BY user_id
  HAVING min(time) >= {first_from:DateTime64(3, 'UTC')} AND min(time) < {first_until:DateTime64(3, 'UTC')}`

const statement = ({ rows }: Activity): string => `
SELECT
  roundDown(first, {cohorts:Array(UInt32)}) AS cohort,
  count() AS users,
  countIf(notEmpty(active_weeks)) AS ever_active,
  if(ever_active = 0, NULL, quantileExactInclusiveIf(0.5)(first_day, notEmpty(active_weeks))) AS median,
  countIf(has(active_weeks, 0)) AS active_first_week,
  countIf(first + 6 >= {today:UInt32}) AS first_week_under_way,
  sumForEach(arrayMap(week -> toUInt32(first + 7 * week <= {today:UInt32}), range({weeks:UInt32}))) AS reached,
  sumForEach(arrayMap(week -> toUInt32(has(active_weeks, week)), range({weeks:UInt32}))) AS active
FROM (
  SELECT
    first_licenses.user_id AS id,
    first_licenses.assigned AS first,
    groupUniqArrayIf(intDiv(activity.day - first, 7), activity.day >= first AND activity.day < first + 7 * {weeks:UInt32})
      AS active_weeks,
    minIf(activity.day, activity.day >= first) - first AS first_day
  FROM (${FIRST_LICENSES}) AS first_licenses
  LEFT JOIN (
    SELECT user_id, ${DAY_OF_ROW} AS day
    FROM (${rows})
    WHERE ${ACTIVATES}
    GROUP BY user_id, day
    HAVING sum(events) > 0
  ) AS activity ON activity.user_id = first_licenses.user_id
  GROUP BY id, first
)
GROUP BY cohort`

const shareOf = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole)

const cohortOf = (date: string, row: Row | undefined): Cohort => {
  const {
    users = 0,
    ever_active = 0,
    median = null,
    active_first_week = 0,
    reached = [],
    active = [],
  } = row ?? {}
  return {
    cohort: date,
    users,
    ever_active,
    median_days_to_first_action: median,
    active_first_week,
    share_active_first_week: shareOf(active_first_week, users),
    first_week_under_way: row?.first_week_under_way ?? 0,
    weeks: reached.flatMap((count, week) =>
      count === 0
        ? []
        : [{ week, reached: count, active: active[week] ?? 0, share: shareOf(active[week] ?? 0, count) }],
    ),
  }
}

/** New licences by week, and how soon and for how long their users are active. */
export const readAdoption = Effect.fn("readAdoption")(function* (
  parameters: AdoptionParameters,
  report: Report,
): Effect.fn.Return<ReadonlyArray<Cohort>, ClickHouseError, ClickHouse> {
  const { range } = report
  const { zone, now, settled } = range
  const { weeks = 12 } = parameters
  const today = dayNumber(localTime(now, zone).slice(0, 10))
  const last = Math.max(dayNumber(range.from), Math.min(today, dayNumber(range.to) + 7 * weeks))
  // Up to today, since the weeks go on after the range.
  const watched = rangeOf(range.from, dateOf(last), zone, now)
  const activity = activityOf({ ...report, range: watched })
  const starts = startsOfDays(watched.days, zone)
  // A day that the zone skipped has the start of the next, to which everything belongs.
  const days = watched.days.filter((_, index) => starts[index] !== starts[index + 1])
  const cohorts = intervalsOf(range, "week")
  const rows = yield* ask<Row>(
    report.version,
    statement(activity),
    {
      ...activity.params,
      ...catalogueParams,
      ...peopleParams(parameters, report),
      tenant: report.tenant,
      now: dateTime64(settled),
      first_from: dateTime64(range.start),
      first_until: dateTime64(range.end),
      starts: startsOfDays(days, zone).map((start) => start / 1000),
      days: activity.positionsOf(days),
      day_numbers: days.map(dayNumber),
      cohorts: cohorts.map(dayNumber),
      today,
      weeks,
    },
    [...activityReads({ ...report, range: watched }), ...PEOPLE_READS, { table: TABLES.licenseEvents }],
  )
  const byCohort = new Map(rows.map((row) => [row.cohort, row]))
  return cohorts.map((date) => cohortOf(date, byCohort.get(dayNumber(date))))
})
