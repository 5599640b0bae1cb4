import { Effect } from "effect"
import { ClickHouse } from "#clickhouse"
import { DATABASE, TABLES } from "#schemas/names.ts"
import { daysOf, piecesOf } from "../audit/rollup-scope.ts"
import { widen } from "../writer/scope.ts"
import type { Rollup } from "../writer/rollups.ts"

/** The column by whose month a rollup is partitioned, and what it is in raw. */
export const calendarOf = ({ key }: Rollup): { readonly name: string; readonly of: string } => {
  const found = key.find(({ name }) => name === "quarter" || name === "day")
  if (found === undefined) throw new Error("a rollup is partitioned by its quarter or its day")
  return found
}

/** The months that rows of raw make keys in: a local day may lie in another month than its instant. */
export const monthsOfRaw = (rollup: Rollup): string => `
SELECT DISTINCT toUInt32(toYYYYMM(${calendarOf(rollup).of})) AS month
FROM ${TABLES.actions} AS a
WHERE ${rollup.filter}`

const MONTHS = `
SELECT DISTINCT toUInt32(partition_id) AS month
FROM system.parts
WHERE database = {database:String} AND table = {table:String} AND active
ORDER BY month`

/** The months that a rollup has parts of. */
export const monthsIn = Effect.fnUntraced(function* ({ table }: Rollup) {
  const store = yield* ClickHouse
  const rows = yield* store.query<{ readonly month: number }>(MONTHS, {
    params: { database: DATABASE, table: table.slice(DATABASE.length + 1) },
  })
  return rows.map(({ month }) => month)
})

/** A month in pieces that are built or compared at once: the parameters of each. A key is in one of them. */
export const piecesOfMonth = Effect.fn("piecesOfMonth")(function* (month: number) {
  const days = daysOf(month)
  const { pieces } = yield* piecesOf(days, widen(days, 2))
  return pieces.map((piece) => ({ ...piece, localDays: piece.days, around: widen(piece.days, 2), month }))
})
