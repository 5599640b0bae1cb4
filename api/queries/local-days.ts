import { dateOf, dayNumber } from "#schemas/report-range.ts"

const QUARTER = 900_000
const HOUR = 3_600_000

const clocks = new Map<string, Intl.DateTimeFormat>()
/** There are some 600 names, and many ways to write their upper and lower case. */
const MAX_CLOCKS = 1000

const clockOf = (zone: string): Intl.DateTimeFormat => {
  let clock = clocks.get(zone)
  if (clock === undefined) {
    clock = new Intl.DateTimeFormat("en-US-u-ca-iso8601-nu-latn", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    })
    if (clocks.size >= MAX_CLOCKS) clocks.clear()
    clocks.set(zone, clock)
  }
  return clock
}

/** What the clocks of the zone show at an instant, as if it were UTC. */
const wallClock = (instant: number, zone: string): number => {
  const shown: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {}
  for (const { type, value } of clockOf(zone).formatToParts(instant)) shown[type] = Number(value)
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = shown
  return Date.UTC(year, month - 1, day, hour, minute, second) + (((instant % 1000) + 1000) % 1000)
}

/** Milliseconds by which the clocks of the zone are ahead of UTC at an instant. */
export const offsetAt = (instant: number, zone: string): number => wallClock(instant, zone) - instant

/**
 * The first instant of a calendar day, which is not always midnight: where clocks go forward at midnight the day
 * begins at one, and a day that a zone skipped altogether has the start of the next. Found among the quarter hours,
 * as every offset is a whole number of them.
 */
export const startOfDay = (date: string, zone: string): number => {
  const midnight = dayNumber(date) * 24 * HOUR
  let before = (midnight - 27 * HOUR) / QUARTER
  let after = (midnight + 27 * HOUR) / QUARTER
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2)
    if (wallClock(middle * QUARTER, zone) < midnight) before = middle
    else after = middle
  }
  return after * QUARTER
}

const isStart = (instant: number, date: string, zone: string): boolean =>
  wallClock(instant, zone) === dayNumber(date) * 24 * HOUR &&
  wallClock(instant - QUARTER, zone) < wallClock(instant, zone)

/** The first instants of days that follow each other. */
export const startsOfDays = (dates: ReadonlyArray<string>, zone: string): ReadonlyArray<number> => {
  let guess = Number.NaN
  return dates.map((date) => {
    const start = !Number.isNaN(guess) && isStart(guess, date, zone) ? guess : startOfDay(date, zone)
    guess = start + 24 * HOUR
    return start
  })
}

/** Every day from `from` to `to`. */
export const daysOf = (from: string, to: string): ReadonlyArray<string> => {
  const first = dayNumber(from)
  return Array.from({ length: dayNumber(to) - first + 1 }, (_, index) => dateOf(first + index))
}

const two = (n: number): string => String(n).padStart(2, "0")

/** RFC 3339 with the offset that the zone has at the instant. */
export const localTime = (instant: number, zone: string): string => {
  const offset = offsetAt(instant, zone)
  const minutes = Math.abs(offset) / 60_000
  const shown = new Date(instant + offset).toISOString().slice(0, -1)
  return `${shown}${offset < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(Math.floor(minutes % 60))}`
}
