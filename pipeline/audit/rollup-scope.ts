import { Context, Effect } from "effect"
import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { TABLES } from "#schemas/names.ts"
import { ROLLUPS } from "../writer/rollups.ts"
import { type Piece, widen } from "../writer/scope.ts"

const DAY = 86_400_000

/**
 * Rows of raw that one comparison sums up. Where each makes a key of its own, as a candidate that is looked at once does in the
 * clients' rollup, so many take half of what the store lets a writer have (1.9 GB were not enough for 1.5 million).
 */
export class RowsAtOnce extends Context.Reference<number>("tidemark/pipeline/RowsAtOnce", {
  defaultValue: () => 800_000,
}) {}
const TENANTS_AT_ONCE = 200

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
    WHERE toDate(a.time) IN {around:Array(Date)}
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

const DAYS = `
SELECT
  toDate(a.time) AS day,
  count() AS events
FROM ${TABLES.actions} AS a
WHERE a.tenant = {tenant:String} AND toDate(a.time) IN {around:Array(Date)}
GROUP BY day`

/**
 * The days of a tenant whose month is too large, with the rows that a comparison of each reads. A local day is made of those of
 * the UTC days around, so that a quiet day beside a busy one is no small piece; its keys are fewer, and the mean of them will do.
 */
const rowsByDay = Effect.fnUntraced(function* (tenant: string, days: ReadonlyArray<string>) {
  const store = yield* ClickHouse
  const rows = yield* store.query<{ readonly day: string; readonly events: number }>(DAYS, {
    params: { tenant, around: widen(days, 2) },
  })
  const known = new Map(rows.map(({ day, events }) => [day, events]))
  const eventsOf = (day: string) => known.get(day) ?? 0
  return days.map((day) => {
    const around = widen([day], 2)
    const mean = around.reduce((sum, other) => sum + eventsOf(other), 0) / around.length
    return { day, rows: Math.max(eventsOf(day), mean) }
  })
})

/** Neighbours together for as long as they are few, and what is too large by itself in parts. */
const packed = <Item extends { readonly rows: number }>(
  items: ReadonlyArray<Item>,
  most: { readonly rows: number; readonly items: number },
): ReadonlyArray<{ readonly items: ReadonlyArray<Item>; readonly parts: number }> => {
  const packs: Array<{ readonly items: Array<Item>; rows: number }> = []
  for (const item of items) {
    const last = packs.at(-1)
    if (last === undefined || last.rows + item.rows > most.rows || last.items.length >= most.items)
      packs.push({ items: [item], rows: item.rows })
    else {
      last.items.push(item)
      last.rows += item.rows
    }
  }
  return packs.map((pack) => ({ items: pack.items, parts: Math.max(1, Math.ceil(pack.rows / most.rows)) }))
}

/**
 * Tenants and days of a month in pieces that can be compared at once, and how many rows raw has in all. `around`: the days whose
 * rows make the keys; those that are asked about when absent.
 */
export const piecesOf = Effect.fn("piecesOf")(function* (
  days: ReadonlyArray<string>,
  around = days,
): Effect.fn.Return<
  { readonly events: number; readonly pieces: ReadonlyArray<Piece> },
  ClickHouseError,
  ClickHouse
> {
  const store = yield* ClickHouse
  const rowsAtOnce = yield* RowsAtOnce
  const tenants = yield* store.query<{ readonly tenant: string; readonly events: number }>(TENANTS, {
    params: { days, localDays: days, around },
  })
  const pieces: Array<Piece> = []
  const small = tenants.filter(({ events }) => events <= rowsAtOnce)
  const most = { rows: rowsAtOnce, items: TENANTS_AT_ONCE }
  for (const { items } of packed(
    small.map(({ tenant, events }) => ({ tenant, rows: events })),
    most,
  ))
    pieces.push({ tenants: items.map(({ tenant }) => tenant), days, part: 0, parts: 1 })
  for (const { tenant, events } of tenants) {
    if (events <= rowsAtOnce) continue
    for (const { items, parts } of packed(yield* rowsByDay(tenant, days), { ...most, items: days.length }))
      for (let part = 0; part < parts; part++)
        pieces.push({ tenants: [tenant], days: items.map(({ day }) => day), part, parts })
  }
  return { events: tenants.reduce((sum, { events }) => sum + events, 0), pieces }
})
