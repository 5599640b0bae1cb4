import { dateOf, dayNumber } from "#schemas/report-range.ts"
import type { INTERVALS } from "#schemas/report-user-insights.ts"
import { daysOf, startOfDay } from "./local-days.ts"

/** The range of a report: local days, and the instants between which they lie. */
export interface Range {
  readonly from: string
  readonly to: string
  readonly zone: string
  readonly days: ReadonlyArray<string>
  /** The first instant of `from`. */
  readonly start: number
  /** The first instant after `to`. */
  readonly end: number
  /** The first instant whose actions do not count: `end`, or earlier in a period that is compared with a part of one. */
  readonly until: number
  readonly now: number
  /** At or before `now`: no licence changed between the two, so what is asked of licences stays the same meanwhile. */
  readonly settled: number
}

export const rangeOf = (from: string, to: string, zone: string, now: number, settled = now): Range => {
  const end = startOfDay(dateOf(dayNumber(to) + 1), zone)
  return {
    from,
    to,
    zone,
    days: daysOf(from, to),
    start: startOfDay(from, zone),
    end,
    until: end,
    now,
    settled,
  }
}

/** It ends at an instant, not with a day: another one each time that it is asked for. */
export const isCut = ({ until, end }: Range): boolean => until !== end

/**
 * The equal number of days just before. Of a range that has not ended as much time is compared as has passed of it,
 * to the millisecond: the period is seen as it was then, with its licences of then. Days on which clocks change make
 * no difference to that; at most the whole period is compared.
 */
export const previousOf = ({ days, start, end, zone, now, settled, from }: Range): Range => {
  const first = dayNumber(from)
  const previous = rangeOf(dateOf(first - days.length), dateOf(first - 1), zone, now, settled)
  if (end <= now) return previous
  // Of a range that has not begun nothing has passed.
  const passed = Math.max(0, now + 1 - start)
  const until = Math.min(previous.end, previous.start + passed)
  const then = previous.start + passed - 1
  return { ...previous, until, now: then, settled: then }
}

/**
 * The part of the range over which licences are looked at: up to its end, or up to now when it has not ended. Of a
 * range that has not begun it is the present instant.
 */
export const licensedSpan = ({
  start,
  end,
  settled,
}: Range): { readonly start: number; readonly end: number } => {
  const until = Math.min(end, settled + 1)
  return { start: Math.min(start, until - 1), end: until }
}

/** The last instant that has come of the range, or the present one when it has not begun. */
export const lastInstant = ({ end, now }: Range): number => Math.min(end - 1, now)

export type Interval = (typeof INTERVALS)[number]

const isFirst: Readonly<Record<Interval, (day: string) => boolean>> = {
  day: () => true,
  // 1970-01-01 was a Thursday.
  week: (day) => (dayNumber(day) + 3) % 7 === 0,
  month: (day) => day.endsWith("-01"),
}

/** The first days of the intervals within the range; the first interval begins with the range. */
export const intervalsOf = ({ days }: Range, interval: Interval): ReadonlyArray<string> =>
  days.filter((day, index) => index === 0 || isFirst[interval](day))
