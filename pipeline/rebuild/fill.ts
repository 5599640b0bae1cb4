import { Effect } from "effect"
import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { TABLES } from "#schemas/names.ts"
import { daysOf } from "../audit/rollup-scope.ts"
import { inPart, widen } from "../writer/scope.ts"
import { aggregate, columnsOf, type Rollup } from "../writer/rollups.ts"
import { BEFORE_CUT, BEYOND_CUT, type Cut } from "./cut.ts"
import { calendarOf, piecesOfMonth } from "./month.ts"

export const SETTINGS = { insert_deduplicate: 0, async_insert: 0 } as const

/** Rows of raw whose keys lie on these days. The days around them keep the server from reading others. */
const onDays = (rollup: Rollup): string =>
  `toDate(a.time) IN {around:Array(Date)} AND toDate(${calendarOf(rollup).of}) IN {days:Array(Date)}`

/** Adds up rows of raw whose keys lie on the days of the parameters. */
const add = Effect.fnUntraced(function* (
  rollup: Rollup,
  shadow: string,
  condition: string,
  params: Readonly<Record<string, unknown>>,
) {
  const store = yield* ClickHouse
  yield* store.command(
    `INSERT INTO ${shadow} (${columnsOf(rollup)})
     SELECT ${columnsOf(rollup)}
     FROM (${aggregate(rollup, `${onDays(rollup)} AND ${condition}`)})`,
    { params, settings: SETTINGS },
  )
})

/** Fills a month of a shadow with what raw held of it at the cut, while writers go on. */
export const fillMonth = Effect.fn("fillMonth")(function* (
  rollup: Rollup,
  shadow: string,
  month: number,
  cut: Cut,
): Effect.fn.Return<void, ClickHouseError, ClickHouse> {
  const isOfPiece = `a.tenant IN {tenants:Array(String)} AND ${inPart(rollup.key.map(({ of }) => of))}`
  for (const piece of yield* piecesOfMonth(month))
    yield* add(rollup, shadow, `${isOfPiece} AND ${BEFORE_CUT}`, { ...piece, ...cut })
})

/** Adds what came to a month after the cut: as much as is written while all months are built. */
export const addBeyond = (rollup: Rollup, shadow: string, month: number, cut: Cut) => {
  const days = daysOf(month)
  return add(rollup, shadow, BEYOND_CUT, { days, around: widen(days, 2), ...cut })
}

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
  }>(totals(rollup, shadow), { params: { days, around: widen(days, 2) } })
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
    { params: { days, around: widen(days, 2), ...cut } },
  )
  return rows[0]?.print ?? ""
})
