/** Raw keeps rows for so many months, and then drops them; rollups keep what they came to. */
const KEPT_MONTHS = 27

const DAY = 86_400_000
/**
 * Parts go one by one, each when its last row is old enough, and a local day at the edge of a month is made of rows of up to 38
 * hours before it.
 */
const EDGE = 2 * DAY

/** True while raw has every row of a month (YYYYMM, UTC): later on rollups are all that is known of it. */
export const isWhole = (month: number, now: number): boolean => {
  const [year, index] = [Math.floor(month / 100), (month % 100) - 1]
  return Date.UTC(year, index + KEPT_MONTHS) - EDGE > now
}

/**
 * The first UTC day, `YYYY-MM-DD`, from which on raw has every row of it and of the local days around it. What rollups hold of
 * days before is all that is known of them: compared with raw they would lose it.
 */
export const firstWholeDay = (now: number): string => {
  const date = new Date(now)
  const oldest = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - KEPT_MONTHS, date.getUTCDate())
  return new Date(oldest + EDGE + 2 * DAY).toISOString().slice(0, 10)
}
