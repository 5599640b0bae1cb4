import { Effect } from "effect"
import { ClickHouse, ClickHouseError } from "#clickhouse"
import { ofPiece } from "../writer/scope.ts"
import { beyondAdding, columnsOf, differences, type Rollup } from "../writer/rollups.ts"
import { BEFORE_CUT, type Cut } from "./cut.ts"
import { SETTINGS } from "./fill.ts"
import { calendarOf, piecesOfMonth } from "./month.ts"

/** A rollup whose place a table takes, summing up what raw had at the cut, or all of it. */
const against = (rollup: Rollup, table: string, cut: Cut | undefined): Rollup => ({
  ...rollup,
  table,
  ...(cut === undefined ? {} : { filter: `${rollup.filter} AND ${BEFORE_CUT}` }),
})

const ofMonth = (rollup: Rollup): string => `toYYYYMM(${calendarOf(rollup).name}) = {month:UInt32}`

/** Number of keys of a month at which a table differs from what raw sums up to, at the cut or now. */
export const countWrong = Effect.fn("countWrong")(function* (
  rollup: Rollup,
  table: string,
  month: number,
  cut?: Cut,
): Effect.fn.Return<number, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  const compared = against(rollup, table, cut)
  let total = 0
  for (const piece of yield* piecesOfMonth(month)) {
    const rows = yield* store.query<{ readonly n: number }>(
      `SELECT count() AS n FROM (${differences(ofPiece(compared, piece))}) WHERE ${ofMonth(rollup)}`,
      { params: { ...piece, ...cut } },
    )
    total += rows[0]?.n ?? 0
  }
  return total
})

const MAX_ROUNDS = 5

/**
 * Makes a month of a shadow what raw sums up to. It is already, unless rows of raw went while it was filled, as an erasure
 * takes them; a time that no added row can bring back makes it fail, and the rebuild is begun again.
 */
export const correct = Effect.fn("correct")(function* (
  rollup: Rollup,
  shadow: string,
  month: number,
  cut?: Cut,
): Effect.fn.Return<void, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  const compared = against(rollup, shadow, cut)
  for (let round = 0; (yield* countWrong(rollup, shadow, month, cut)) > 0; round++) {
    if (round === MAX_ROUNDS)
      return yield* new ClickHouseError({
        reason: "other",
        detail: `what was built of ${rollup.table} for ${month} is not what raw sums up to; begin again`,
      })
    for (const piece of yield* piecesOfMonth(month))
      yield* store.command(
        `INSERT INTO ${shadow} (${columnsOf(rollup)})
         SELECT ${columnsOf(rollup)}
         FROM (${differences(ofPiece(compared, piece))})
         WHERE ${ofMonth(rollup)} AND NOT (${beyondAdding(rollup)})`,
        { params: { ...piece, ...cut }, settings: SETTINGS },
      )
  }
})
