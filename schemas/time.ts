import { RFC3339 } from "./patterns.ts"

const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const

const daysIn = (year: number, month: number): number =>
  month === 2 && isLeap(year) ? 29 : (DAYS[month - 1] ?? 0)

const DAYS_BEFORE_MONTH = DAYS.map((_, month) =>
  DAYS.slice(0, month).reduce<number>((sum, days) => sum + days, 0),
)
const DAYS_BEFORE_1970 = 719_528

/** Days since 1970 of a day of the years 0 to 9999: `Date.UTC`, at a third of its price and right before the year 100. */
const dayOf = (year: number, month: number, day: number): number => {
  const leapDays = Math.floor((year + 3) / 4) - Math.floor((year + 99) / 100) + Math.floor((year + 399) / 400)
  const inYear = (DAYS_BEFORE_MONTH[month - 1] ?? 0) + (month > 2 && isLeap(year) ? 1 : 0) + day - 1
  return year * 365 + leapDays + inYear - DAYS_BEFORE_1970
}

const ZERO = 48
const MINUS = 45
const Z = 90

const digit = (text: string, at: number): number => text.charCodeAt(at) - ZERO

const twoDigits = (text: string, at: number): number => digit(text, at) * 10 + digit(text, at + 1)

/** Milliseconds since 1970 of a text that has the form of RFC 3339 already, NaN for a day or hour that does not exist. */
export const instantOf = (text: string): number => {
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2)
  const month = twoDigits(text, 5)
  const day = twoDigits(text, 8)
  const hour = twoDigits(text, 11)
  const minute = twoDigits(text, 14)
  const second = twoDigits(text, 17)
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return Number.NaN
  if (hour > 23 || minute > 59 || second > 59) return Number.NaN
  const isUtc = text.charCodeAt(text.length - 1) === Z
  const zoneAt = text.length - (isUtc ? 1 : 6)
  let milliseconds = 0
  if (zoneAt > 20) milliseconds += digit(text, 20) * 100
  if (zoneAt > 21) milliseconds += digit(text, 21) * 10
  if (zoneAt > 22) milliseconds += digit(text, 22)
  let minutesAhead = 0
  if (!isUtc) {
    const hours = twoDigits(text, zoneAt + 1)
    const minutes = twoDigits(text, zoneAt + 4)
    if (hours > 23 || minutes > 59) return Number.NaN
    minutesAhead = (text.charCodeAt(zoneAt) === MINUS ? -1 : 1) * (hours * 60 + minutes)
  }
  const minutesOfDay = hour * 60 + minute - minutesAhead
  return ((dayOf(year, month, day) * 1440 + minutesOfDay) * 60 + second) * 1000 + milliseconds
}

/**
 * Milliseconds since 1970 of an RFC 3339 time, or NaN. Finer fractions are cut off; leap seconds, days
 * that do not exist and lower-case letters are refused, all of which `Date.parse` would let through.
 */
export const parseTime = (text: string): number => (RFC3339.test(text) ? instantOf(text) : Number.NaN)

/** Whole days since 1970 of an instant, in UTC. */
export const utcDay = (milliseconds: number): number => Math.floor(milliseconds / 86_400_000)

/** `YYYYMM` of an instant, in UTC: the partition of the raw table that holds it. */
export const utcMonth = (milliseconds: number): number => {
  const date = new Date(milliseconds)
  return date.getUTCFullYear() * 100 + date.getUTCMonth() + 1
}

/** The months of two instants and those between them. */
export const utcMonthsBetween = (first: number, last: number): ReadonlySet<number> => {
  const months = new Set<number>()
  const date = new Date(first)
  for (let n = 0; ; n++) {
    const at = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + n)
    if (at > last) return months
    months.add(utcMonth(at))
  }
}
