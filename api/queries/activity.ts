import { CATALOGUE, MEMBER_ACTIVATING } from "#schemas/catalogue.ts"
import { TABLES } from "#schemas/names.ts"
import { dateOf, dayNumber } from "#schemas/report-range.ts"
import { startsOfDays } from "./local-days.ts"
import { isCut, type Range } from "./range.ts"
import type { Report } from "./report.ts"
import { dateTime, dateTime64 } from "./statement.ts"
import type { Read } from "./store-version.ts"

/**
 * What members did in a range, as rows (user_id, action, events, quantity, last_at, position), from one of two rollups.
 * `position` says where in time a row lies, in whatever unit the rollup has; the days of a report are given to the
 * statement as the positions at which they begin. So no statement knows a time zone, and the zones are those of one
 * database, Node's; the store's own can be of another year.
 *
 * A key can have several rows, of which corrections are signed: sums over rows are right, and a key whose events sum
 * to 0 was never there. (A latest time that no event has is deleted by the writer's repair, so `max` is right too.)
 */
export interface Activity {
  readonly rows: string
  readonly params: Readonly<Record<string, unknown>>
  /** The position at which each day begins. */
  readonly positionsOf: (days: ReadonlyArray<string>) => ReadonlyArray<number>
}

const DAILY = `
  SELECT user_id, action, events, quantity, last_at, toUInt32(day) AS position
  FROM ${TABLES.activityDaily}
  WHERE tenant = {tenant:String} AND zone = {zone:String} AND day BETWEEN {from:Date} AND {to:Date}`

const quarters = (position: string): string => `
  SELECT user_id, action, events, quantity, last_at, ${position} AS position
  FROM ${TABLES.activity15m}
  WHERE tenant = {tenant:String} AND quarter >= {start:DateTime('UTC')} AND quarter < {end:DateTime('UTC')}`

/** The part of a quarter hour before an instant is in no rollup: the log itself has it. */
const partOfQuarter = (position: string): string => `
  SELECT
    actor_id AS user_id, type AS action, toInt64(1) AS events, toInt64(actions.quantity) AS quantity, time AS last_at,
    ${position} AS position
  FROM ${TABLES.actions} AS actions
  WHERE tenant = {tenant:String}
    AND time >= {end:DateTime('UTC')} AND time < {until:DateTime64(3, 'UTC')}
    AND actor_type = 'member' AND NOT automated AND impersonator_id = ''`

const QUARTERS = quarters("toUnixTimestamp(quarter)")
const QUARTERS_UNTIL = `${QUARTERS}
  UNION ALL ${partOfQuarter("toUnixTimestamp(toStartOfFifteenMinutes(time))")}`
/** Whole days, and the beginning of the last one. */
const DAILY_UNTIL = `${DAILY}
  UNION ALL ${quarters("{last_day:UInt32}")}
  UNION ALL ${partOfQuarter("{last_day:UInt32}")}`

const QUARTER = 900_000

const fromQuarters = (tenant: string, range: Range): Activity => {
  const { start, end, until, zone } = range
  const cut = Math.max(start, until - (until % QUARTER))
  return {
    rows: until === end ? QUARTERS : QUARTERS_UNTIL,
    params: {
      tenant,
      start: dateTime(start),
      end: dateTime(until === end ? end : cut),
      until: dateTime64(until),
    },
    positionsOf: (days) => startsOfDays(days, zone).map((first) => first / 1000),
  }
}

const fromDays = (tenant: string, range: Range): Activity => {
  const { from, to, start, end, until, zone } = range
  const positionsOf = (days: ReadonlyArray<string>) => days.map(dayNumber)
  if (until === end) return { rows: DAILY, params: { tenant, zone, from, to }, positionsOf }
  const starts = startsOfDays(range.days, zone)
  const at = Math.max(
    0,
    starts.findLastIndex((first) => first < until),
  )
  const lastStart = starts[at] ?? start
  const cut = Math.max(lastStart, until - (until % QUARTER))
  const lastDay = dayNumber(from) + at
  return {
    rows: DAILY_UNTIL,
    params: {
      tenant,
      zone,
      from,
      to: dateOf(lastDay - 1),
      start: dateTime(lastStart),
      end: dateTime(cut),
      until: dateTime64(until),
      last_day: lastDay,
    },
    positionsOf,
  }
}

/** The fast rollup answers for days of the tenant's own zone while it is whole. */
const isFast = ({ range, standing }: Report): boolean => range.zone === standing.zone && standing.dailyIsWhole

/** The fast rollup by days of the tenant's own zone where it can answer, the quarter hours otherwise. */
export const activityOf = (report: Report): Activity =>
  (isFast(report) ? fromDays : fromQuarters)(report.tenant, report.range)

/** What the rows are read from. */
export const activityReads = (report: Report): ReadonlyArray<Read> => {
  const { range } = report
  const tables = [
    ...(isFast(report) ? [TABLES.activityDaily] : []),
    ...(isFast(report) && !isCut(range) ? [] : [TABLES.activity15m]),
    ...(isCut(range) ? [TABLES.actions] : []),
  ]
  return tables.map((table) => ({ table, range }))
}

const COUNT = CATALOGUE.actions.length

/** A row's place in the catalogue; what the catalogue does not know is in no metric. */
const PLACE = `transform(action, {actions:Array(String)}, range(${COUNT}), ${COUNT})`

/** The metrics as an array in the catalogue's order: one state a group, whatever the number of actions. */
export const METRIC_SUMS = `sumResample(0, ${COUNT}, 1)(quantity, ${PLACE})`
/** True for a row whose action makes a member count as active. */
export const ACTIVATES = "action IN {activating:Array(String)}"

export const catalogueParams = {
  actions: CATALOGUE.actions.map(({ type }) => type),
  activating: MEMBER_ACTIVATING,
} as const

/** What each did: (user_id, metrics, active, last_at). Who did nothing has no row. */
export const byUser = (rows: string): string => `
  SELECT
    user_id,
    ${METRIC_SUMS} AS metrics,
    sumIf(events, ${ACTIVATES}) > 0 AS active,
    maxIf(last_at, ${ACTIVATES}) AS last_at
  FROM (${rows})
  GROUP BY user_id
  HAVING sum(events) > 0`

/** On how many days each was active: (user_id, active_days). */
export const activeDaysByUser = (rows: string): string => `
  SELECT user_id, toInt64(count()) AS active_days
  FROM (
    SELECT user_id, roundDown(position, {days:Array(UInt32)}) AS day
    FROM (${rows})
    WHERE ${ACTIVATES}
    GROUP BY user_id, day
    HAVING sum(events) > 0
  )
  GROUP BY user_id`
