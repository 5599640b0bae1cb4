import { Effect } from "effect"
import { type ClickHouse, ClickHouseError } from "#clickhouse"
import type { LedgerRecord } from "#schemas/ledger.ts"
import type { ActionRow } from "./action-row.ts"
import { insertActions } from "./insert.ts"
import { deleteSurplus, prove } from "./prove.ts"

export interface Repaired {
  readonly inserted: number
  /** The lowest sequence of these; beyond all others when there are none. */
  readonly firstInserted: number
  readonly deleted: number
  readonly repeats: number
  readonly conflicts: ReadonlyArray<ActionRow>
  /** Rows that the raw table refuses. */
  readonly rejected: ReadonlyArray<ActionRow>
}

/**
 * Inserts rows that are known to be missing, halving them around whatever the store refuses. Returns the guilty ones:
 * rows refused alone, by a code that speaks of the row, or by another code while their neighbours were taken. Fails
 * when the store is at fault.
 */
const insertMissing = Effect.fnUntraced(function* (
  rows: ReadonlyArray<ActionRow>,
  record: () => LedgerRecord,
) {
  const guilty: Array<ActionRow> = []
  const suspects: Array<{ readonly row: ActionRow; readonly error: ClickHouseError }> = []
  let taken = false
  const halves: Array<ReadonlyArray<ActionRow>> = [rows]
  for (let some = halves.pop(); some !== undefined; some = halves.pop()) {
    const error = yield* insertActions(some, record(), { ignoreViews: true }).pipe(
      Effect.as(undefined),
      Effect.catchIf(
        ({ reason }) => reason === "row_refused" || reason === "other",
        (refused) => Effect.succeed(refused),
      ),
    )
    if (error === undefined) taken = true
    else if (some.length > 1) {
      const middle = some.length >>> 1
      halves.push(some.slice(middle), some.slice(0, middle))
    } else if (some[0] !== undefined) {
      if (error.reason === "row_refused") guilty.push(some[0])
      else suspects.push({ row: some[0], error })
    }
  }
  // An error that does not speak of the row may be the store's: only while others are taken, and twice, is it held
  // against the row.
  for (const { row, error } of suspects) {
    if (!taken) return yield* error
    yield* insertActions([row], record(), { ignoreViews: true }).pipe(
      Effect.catchIf(
        ({ code }) => code === error.code,
        () => Effect.sync(() => guilty.push(row)),
      ),
    )
  }
  return guilty
})

const MAX_ROUNDS = 20

/**
 * Makes raw hold each of these rows once: proves, deletes what stands twice, inserts what is missing, until there is
 * nothing left to do.
 */
export const repairRaw = Effect.fn("repairRaw")(function* (
  rows: ReadonlyArray<ActionRow>,
  record: () => LedgerRecord,
): Effect.fn.Return<Repaired, ClickHouseError, ClickHouse> {
  const rejected = new Set<ActionRow>()
  let inserted = 0
  let firstInserted = Infinity
  let deleted = 0
  for (let round = 0; ; round++) {
    const { missing, surplus, conflicts, repeats } = yield* prove(
      rows.filter((row) => !rejected.has(row)),
      record(),
    )
    if (missing.length === 0 && surplus.length === 0)
      return { inserted, firstInserted, deleted, repeats, conflicts, rejected: [...rejected] }
    if (round === MAX_ROUNDS)
      return yield* new ClickHouseError({
        reason: "other",
        detail: `raw still lacks ${missing.length} rows and has ${surplus.length} too many after ${round} repairs`,
      })
    yield* deleteSurplus(surplus, record())
    deleted += surplus.length
    if (missing.length > 0) {
      const refused = yield* insertMissing(missing, record)
      for (const row of refused) rejected.add(row)
      const taken = missing.filter((row) => !rejected.has(row))
      inserted += taken.length
      for (const { seq } of taken) firstInserted = Math.min(firstInserted, seq)
    }
  }
})
