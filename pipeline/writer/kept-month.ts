/** Raw keeps rows for so many months, and then drops them; rollups keep what they came to. */
const KEPT_MONTHS = 27
const DAY = 86_400_000
/**
 * Parts of a month go one by one, each when its last row is old enough, and the local days of a UTC day are made of rows of up
 * to 38 hours before it. A month that has no such day, 27 months on, takes up to three days more.
 */
const EDGE = 5

/**
 * The first UTC day, `YYYY-MM-DD`, from which on raw has every row of it and of the local days around it. What rollups hold of
 * days before is all that is known of them: compared with raw they would lose it.
 */
export const firstWholeDay = (now: number): string => {
  const date = new Date(now)
  const oldest = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - KEPT_MONTHS, date.getUTCDate())
  return new Date(oldest + EDGE * DAY).toISOString().slice(0, 10)
}

/** True while raw has every row of a month (YYYYMM, UTC): later on rollups are all that is known of it. */
export const isWhole = (month: number, now: number): boolean =>
  firstWholeDay(now) <= `${Math.floor(month / 100)}-${String(month % 100).padStart(2, "0")}-01`
