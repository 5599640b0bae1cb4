import { CATALOGUE, MEMBER_ACTIVATING } from "#schemas/catalogue.ts"
import { TABLES } from "#schemas/names.ts"
import { dayNumber } from "#schemas/report-range.ts"
import { startsOfDays } from "./local-days.ts"
import type { Report } from "./report.ts"
import { dateTime } from "./statement.ts"

/**
 * What members did in a range, as rows (user_id, action, quantity, last_at, position), from one of two rollups.
 * `position` says where in time a row lies, in whatever unit the rollup has; the days of a report are given to the
 * statement as the positions at which they begin. So no statement knows a time zone, and the zones are those of one
 * database, Node's; the store's own can be of another year.
 */
export interface Activity {
  readonly rows: string
  readonly params: Readonly<Record<string, unknown>>
  /** The position at which each day begins. */
  readonly positionsOf: (days: ReadonlyArray<string>) => ReadonlyArray<number>
}

// FINAL adds up what merges have not yet; a key whose events are corrected away has a sum of 0 and was never there.
const DAILY = `
  SELECT user_id, action, quantity, last_at, toUInt32(day) AS position
  FROM ${TABLES.activityDaily} FINAL
  WHERE tenant = {tenant:String} AND zone = {zone:String} AND day BETWEEN {from:Date} AND {to:Date} AND events > 0`

const QUARTERS = `
  SELECT user_id, action, quantity, last_at, toUnixTimestamp(quarter) AS position
  FROM ${TABLES.activity15m} FINAL
  WHERE tenant = {tenant:String}
    AND quarter >= {start:DateTime('UTC')} AND quarter < {end:DateTime('UTC')} AND events > 0`

/** The fast rollup by days of the tenant's own zone where it can answer, the quarter hours otherwise. */
export const activityOf = ({ tenant, range, standing }: Report): Activity =>
  range.zone === standing.zone && standing.dailyIsWhole
    ? {
        rows: DAILY,
        params: { tenant, zone: range.zone, from: range.from, to: range.to },
        positionsOf: (days) => days.map(dayNumber),
      }
    : {
        rows: QUARTERS,
        params: { tenant, start: dateTime(range.start), end: dateTime(range.end) },
        positionsOf: (days) => startsOfDays(days, range.zone).map((start) => start / 1000),
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
