import { RFC3339 } from "./patterns.ts"

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const

const daysIn = (year: number, month: number): number =>
  month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
    ? 29
    : (DAYS[month - 1] ?? 0)

const digits = (text: string, at: number, length: number): number => {
  let n = 0
  for (let i = at; i < at + length; i++) n = n * 10 + text.charCodeAt(i) - 48
  return n
}

/**
 * Milliseconds since 1970 of an RFC 3339 time, or NaN. Finer fractions are cut off; leap seconds, days
 * that do not exist and lower-case letters are refused, all of which `Date.parse` would let through.
 */
export const parseTime = (text: string): number => {
  if (!RFC3339.test(text)) return Number.NaN
  const year = digits(text, 0, 4)
  const month = digits(text, 5, 2)
  const day = digits(text, 8, 2)
  const hour = digits(text, 11, 2)
  const minute = digits(text, 14, 2)
  const second = digits(text, 17, 2)
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return Number.NaN
  if (hour > 23 || minute > 59 || second > 59) return Number.NaN
  const zoneAt = text.endsWith("Z") ? text.length - 1 : text.length - 6
  let milliseconds = 0
  for (let i = 20, scale = 100; i < zoneAt && scale >= 1; i++, scale /= 10)
    milliseconds += (text.charCodeAt(i) - 48) * scale
  let offset = 0
  if (zoneAt === text.length - 6) {
    const hours = digits(text, zoneAt + 1, 2)
    const minutes = digits(text, zoneAt + 4, 2)
    if (hours > 23 || minutes > 59) return Number.NaN
    offset = (text[zoneAt] === "-" ? -1 : 1) * (hours * 60 + minutes) * 60_000
  }
  // Date.UTC takes the years 0 to 99 for 1900 to 1999.
  if (year < 100) return Number.NaN
  return Date.UTC(year, month - 1, day, hour, minute, second, milliseconds) - offset
}

/** Whole days since 1970 of an instant, in UTC. */
export const utcDay = (milliseconds: number): number => Math.floor(milliseconds / 86_400_000)

/** `YYYYMM` of an instant, in UTC: the partition of the raw table that holds it. */
export const utcMonth = (milliseconds: number): number => {
  const date = new Date(milliseconds)
  return date.getUTCFullYear() * 100 + date.getUTCMonth() + 1
}
