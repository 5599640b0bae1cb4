/** Raw keeps rows for so many months, and then drops them; rollups keep what they came to. */
const KEPT_MONTHS = 27

/** True while raw has every row of a month (YYYYMM, UTC): later on rollups are all that is known of it. */
export const isWhole = (month: number, now: number): boolean => {
  const [year, index] = [Math.floor(month / 100), (month % 100) - 1]
  return Date.UTC(year, index + KEPT_MONTHS) > now
}
