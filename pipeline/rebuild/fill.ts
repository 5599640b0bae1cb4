import { Effect } from "effect"
import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { TABLES } from "#schemas/names.ts"
import { daysOf } from "../audit/rollup-scope.ts"
import { aggregate, keyOf, type Rollup } from "../writer/rollups.ts"
import { BEFORE_CUT, BEYOND_CUT, type Cut } from "./cut.ts"
import { calendarOf } from "./month.ts"

/** Days whose keys are summed up at once, which bounds memory. */
export const DAYS_AT_ONCE = 2
const DAY = 86_400_000

export const SETTINGS = { insert_deduplicate: 0, async_insert: 0 } as const

/** The days, and two on either side: a UTC day lies in up to three local ones, and the other way round. */
export const around = (days: ReadonlyArray<string>): ReadonlyArray<string> => {
  const first = Date.parse(`${days[0]}T00:00:00Z`)
  return Array.from({ length: days.length + 4 }, (_, n) =>
    new Date(first + (n - 2) * DAY).toISOString().slice(0, 10),
  )
}

/** Rows of raw whose keys lie on these days. The days around them keep the server from reading others. */
const onDays = (rollup: Rollup): string =>
  `toDate(a.time) IN {around:Array(Date)} AND toDate(${calendarOf(rollup).of}) IN {days:Array(Date)}`

export const columnsOf = (rollup: Rollup): string =>
  `${keyOf(rollup)}, events, quantity, ${rollup.times.join(", ")}`

const insert = (rollup: Rollup, shadow: string, condition: string): string =>
  `INSERT INTO ${shadow} (${columnsOf(rollup)})
SELECT ${columnsOf(rollup)}
FROM (${aggregate(rollup, `${onDays(rollup)} AND ${condition}`)})`

/** Fills a month of a shadow with what raw held of it at the cut, while writers go on. */
export const fillMonth = Effect.fn("fillMonth")(function* (
  rollup: Rollup,
  shadow: string,
  month: number,
  cut: Cut,
): Effect.fn.Return<void, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  const all = daysOf(month)
  for (let at = 0; at < all.length; at += DAYS_AT_ONCE) {
    const days = all.slice(at, at + DAYS_AT_ONCE)
    yield* store.command(insert(rollup, shadow, BEFORE_CUT), {
      params: { days, around: around(days), ...cut },
      settings: SETTINGS,
    })
  }
})

/** Adds what came to a month after the cut. */
export const addBeyond = Effect.fn("addBeyond")(function* (
  rollup: Rollup,
  shadow: string,
  month: number,
  cut: Cut,
): Effect.fn.Return<void, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  const days = daysOf(month)
  yield* store.command(insert(rollup, shadow, BEYOND_CUT), {
    params: { days, around: around(days), ...cut },
    settings: SETTINGS,
  })
})

const totals = (rollup: Rollup, shadow: string): string => `
SELECT
  events AS events,
  quantity AS quantity,
  kept_events AS kept_events,
  kept_quantity AS kept_quantity
FROM
(
    SELECT
        toInt64(count()) AS events,
        toInt64(sum(a.quantity)) AS quantity
    FROM ${TABLES.actions} AS a
    WHERE ${rollup.filter} AND ${onDays(rollup)}
) AS raw
CROSS JOIN
(
    SELECT
        sum(events) AS kept_events,
        sum(quantity) AS kept_quantity
    FROM ${shadow}
    WHERE toDate(${calendarOf(rollup).name}) IN {days:Array(Date)}
) AS kept`

/** Whether a month of the shadow counts as many events, and as much, as raw does: a look of a moment, while nobody writes. */
export const hasTotals = Effect.fn("hasTotals")(function* (rollup: Rollup, shadow: string, month: number) {
  const store = yield* ClickHouse
  const days = daysOf(month)
  const rows = yield* store.query<{
    readonly events: number
    readonly quantity: number
    readonly kept_events: number
    readonly kept_quantity: number
  }>(totals(rollup, shadow), { params: { days, around: around(days) } })
  const [row] = rows
  return row !== undefined && row.events === row.kept_events && row.quantity === row.kept_quantity
})

/**
 * What raw holds of a month up to the cut, as one text. Sums alone may be the same although rows are others: one was erased
 * and one replayed, or a tenant has another zone.
 */
export const fingerprint = Effect.fn("fingerprint")(function* (
  rollup: Rollup,
  month: number,
  cut: Cut,
): Effect.fn.Return<string, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  const days = daysOf(month)
  const values = [...rollup.key.map(({ of }) => of), "a.id", "a.time", "a.quantity"].join(", ")
  const rows = yield* store.query<{ readonly print: string }>(
    `SELECT concat(toString(count()), ' ', toString(sum(sipHash64(${values})))) AS print
     FROM ${TABLES.actions} AS a
     WHERE ${rollup.filter} AND ${onDays(rollup)} AND ${BEFORE_CUT}`,
    { params: { days, around: around(days), ...cut } },
  )
  return rows[0]?.print ?? ""
})
