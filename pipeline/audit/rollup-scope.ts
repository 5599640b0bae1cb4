import { Effect } from "effect"
import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { TABLES } from "#schemas/names.ts"
import type { Scope } from "../writer/repair-rollups.ts"
import { ROLLUPS } from "../writer/rollups.ts"

const DAY = 86_400_000

/** Rows of raw that one comparison sums up, which bounds its memory. */
const ROWS_AT_ONCE = 400_000
const TENANTS_AT_ONCE = 200
/** Days at once of a tenant with more rows in a month than that. */
const DAYS_AT_ONCE = 2

/** The days of a month, `YYYYMM`. */
export const daysOf = (month: number): ReadonlyArray<string> => {
  const days: Array<string> = []
  for (let at = Date.UTC(Math.floor(month / 100), (month % 100) - 1); ; at += DAY) {
    const day = new Date(at).toISOString().slice(0, 10)
    if (Number(day.slice(0, 7).replace("-", "")) !== month) return days
    days.push(day)
  }
}

// A rollup may have keys of a tenant that has no rows at all.
const TENANTS = `
SELECT
  tenant,
  sum(events) AS events
FROM
(
    SELECT
        a.tenant AS tenant,
        count() AS events
    FROM ${TABLES.actions} AS a
    WHERE toDate(a.time) IN {days:Array(Date)}
    GROUP BY tenant
${ROLLUPS.map(
  ({ table, rollupScope }) => `
    UNION ALL
    SELECT
        r.tenant AS tenant,
        0 AS events
    FROM ${table} AS r
    WHERE ${rollupScope}
    GROUP BY tenant`,
).join("")}
)
GROUP BY tenant
ORDER BY tenant`

/** Tenants and days of a month in pieces that can be compared at once, and how many rows raw has in all. */
export const piecesOf = Effect.fn("piecesOf")(function* (
  days: ReadonlyArray<string>,
): Effect.fn.Return<
  { readonly events: number; readonly pieces: ReadonlyArray<Scope> },
  ClickHouseError,
  ClickHouse
> {
  const store = yield* ClickHouse
  const tenants = yield* store.query<{ readonly tenant: string; readonly events: number }>(TENANTS, {
    params: { days, localDays: days },
  })
  const pieces: Array<Scope> = []
  let open: Array<string> = []
  let rows = 0
  const close = () => {
    if (open.length > 0) pieces.push({ tenants: open, days })
    open = []
    rows = 0
  }
  for (const { tenant, events } of tenants) {
    if (events > ROWS_AT_ONCE) {
      for (let at = 0; at < days.length; at += DAYS_AT_ONCE)
        pieces.push({ tenants: [tenant], days: days.slice(at, at + DAYS_AT_ONCE) })
      continue
    }
    if (rows + events > ROWS_AT_ONCE || open.length >= TENANTS_AT_ONCE) close()
    open.push(tenant)
    rows += events
  }
  close()
  return { events: tenants.reduce((sum, { events }) => sum + events, 0), pieces }
})
