import { dateOf, dayNumber } from "#schemas/report-range.ts"
import type { TargetPeriod } from "#schemas/target.ts"
import { localTime } from "./local-days.ts"
import type { Range } from "./range.ts"

/** A week or month as far as it lies in a range. */
export interface Part {
  readonly period: TargetPeriod
  /** The first day of the whole week or month. */
  readonly start: string
  readonly from: string
  readonly to: string
  /** Days of the whole week or month. */
  readonly length: number
  readonly days: number
  /** Of these days, those that have ended. */
  readonly passed: number
}

/** The first day of the week or month that a day lies in. */
export const periodStart = (period: TargetPeriod, day: string): string => {
  if (period === "month") return `${day.slice(0, 7)}-01`
  const number = dayNumber(day)
  // 1970-01-01 was a Thursday.
  return dateOf(number - ((number + 3) % 7))
}

const nextStart = (period: TargetPeriod, start: string): string =>
  period === "week" ? dateOf(dayNumber(start) + 7) : periodStart("month", dateOf(dayNumber(start) + 31))

/** The calendar day that it is in a zone. */
export const dayAt = (instant: number, zone: string): string => localTime(instant, zone).slice(0, 10)

const clipped = ({ from, to, zone, now }: Range, period: TargetPeriod): ReadonlyArray<Part> => {
  const today = dayNumber(dayAt(now, zone))
  const parts: Array<Part> = []
  for (let start = periodStart(period, from); start <= to;) {
    const next = nextStart(period, start)
    const [first, end] = [
      Math.max(dayNumber(start), dayNumber(from)),
      Math.min(dayNumber(next), dayNumber(to) + 1),
    ]
    parts.push({
      period,
      start,
      from: dateOf(first),
      to: dateOf(end - 1),
      length: dayNumber(next) - dayNumber(start),
      days: end - first,
      passed: Math.max(0, Math.min(end, today) - first),
    })
    start = next
  }
  return parts
}

export type Parts = Readonly<Record<TargetPeriod, ReadonlyArray<Part>>>

/** The weeks and the months of a range; the first and the last are clipped to it. */
export const partsOf = (range: Range): Parts => ({
  week: clipped(range, "week"),
  month: clipped(range, "month"),
})
