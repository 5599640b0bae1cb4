import { Effect } from "effect"
import { ClickHouse, ClickHouseError } from "#clickhouse"
import type { LedgerRecord } from "#schemas/ledger.ts"
import { Writer } from "./context.ts"
import { DELETE_SETTINGS, DELETE_WITHIN_LEASE, deleteParams, queryId, WITHIN_LEASE } from "./fence.ts"
import { firstWholeDay } from "./kept-month.ts"
import { beyondAdding, columnsOf, differences, keyText, type Rollup, ROLLUPS } from "./rollups.ts"

/** Tenants and UTC days whose rollups are to be compared with raw. */
export interface Scope {
  readonly tenants: ReadonlyArray<string>
  /** `YYYY-MM-DD` */
  readonly days: ReadonlyArray<string>
}

/** The scope without tenants whose rows another stream's owner writes, and without days that raw no longer has whole. */
export const ownScope = (scope: Scope): Effect.Effect<Scope, never, Writer> =>
  Effect.map(Writer, ({ isOwn }) => {
    const first = firstWholeDay(Date.now())
    return { tenants: scope.tenants.filter(isOwn), days: scope.days.filter((day) => day >= first) }
  })

const DAY = 86_400_000

/** UTC days, and so many on either side of each: one lies in up to three local ones, and the other way round. */
export const widen = (days: ReadonlyArray<string>, by: number): ReadonlyArray<string> => {
  const wide = new Set<number>()
  for (const day of days)
    for (let step = -by; step <= by; step++) wide.add(Date.parse(`${day}T00:00:00Z`) + step * DAY)
  return [...wide].toSorted((a, b) => a - b).map((at) => new Date(at).toISOString().slice(0, 10))
}

/** The parameters of a statement that compares a scope. */
export const paramsOf = (scope: Scope) => ({
  ...scope,
  localDays: widen(scope.days, 1),
  around: widen(scope.days, 2),
})

/** A month of a large tenant is what the server sums up within a writer's memory. */
const DAYS_AT_ONCE = 31
const TENANTS_AT_ONCE = 200

const pieces = function* (scope: Scope): Generator<Scope> {
  for (let t = 0; t < scope.tenants.length; t += TENANTS_AT_ONCE)
    for (let d = 0; d < scope.days.length; d += DAYS_AT_ONCE)
      yield {
        tenants: scope.tenants.slice(t, t + TENANTS_AT_ONCE),
        days: scope.days.slice(d, d + DAYS_AT_ONCE),
      }
}

/** Number of keys in the scope at which a rollup differs from raw; 0 is the proof. */
const countDifferences = Effect.fn("countDifferences")(function* (
  scope: Scope,
): Effect.fn.Return<number, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  let total = 0
  for (const piece of pieces(scope))
    for (const rollup of ROLLUPS) {
      const rows = yield* store.query<{ n: number }>(`SELECT count() AS n FROM (${differences(rollup)})`, {
        params: paramsOf(piece),
      })
      total += rows[0]?.n ?? 0
    }
  return total
})

const KEYS_AT_ONCE = 200

/**
 * A sum can be corrected by adding; an earliest time that is too early and a latest that is too late cannot. Such keys,
 * left by rows that raw never kept, are taken out whole, and the next comparison writes them anew. Only the parts seen
 * now are touched, so a statement that runs late takes nothing of what came after. (A rebuild begins parts' names anew, and
 * itself begins when no statement of an owner before can run any more.)
 */
const removeWrongTimes = Effect.fnUntraced(function* (rollup: Rollup, scope: Scope, record: LedgerRecord) {
  const store = yield* ClickHouse
  const wrong = yield* store.query<{ key: string }>(
    `SELECT ${keyText(rollup, "\\n")} AS key FROM (${differences(rollup)}) WHERE ${beyondAdding(rollup)}`,
    { params: paramsOf(scope) },
  )
  const where = `tenant IN {tenants:Array(String)} AND ${rollup.rollupScope.replace("r.", "")}
    AND ${keyText(rollup, "\\n")} IN {keys:Array(String)}`
  for (let at = 0; at < wrong.length; at += KEYS_AT_ONCE) {
    const params = { ...paramsOf(scope), keys: wrong.slice(at, at + KEYS_AT_ONCE).map(({ key }) => key) }
    const parts = yield* store.query<{ part: string }>(
      `SELECT DISTINCT _part AS part FROM ${rollup.table} WHERE ${where}`,
      { params },
    )
    yield* store.command(
      `DELETE FROM ${rollup.table} WHERE ${where} AND _part IN {parts:Array(String)} AND ${DELETE_WITHIN_LEASE}`,
      {
        queryId: queryId(record, "remove"),
        params: { ...params, parts: parts.map(({ part }) => part), ...deleteParams(record) },
        settings: DELETE_SETTINGS,
      },
    )
  }
})

const addMissing = (rollup: Rollup): string => `
INSERT INTO ${rollup.table} (${columnsOf(rollup)})
SELECT ${columnsOf(rollup)}
FROM (${differences(rollup)})
WHERE NOT (${beyondAdding(rollup)}) AND ${WITHIN_LEASE}`

const MAX_ROUNDS = 20

/**
 * Makes the rollups of the scope equal to the aggregate of raw, whatever state they are in, and returns how many keys
 * were wrong. It converges because nobody else writes these tenants meanwhile; the last comparison found nothing.
 */
export const repairRollups = Effect.fn("repairRollups")(function* (
  scope: Scope,
  record: () => LedgerRecord,
): Effect.fn.Return<number, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  let repaired = 0
  for (const piece of pieces(scope))
    for (let round = 0; ; round++) {
      const wrong = yield* countDifferences(piece)
      if (wrong === 0) break
      if (round === MAX_ROUNDS)
        return yield* new ClickHouseError({
          reason: "other",
          detail: `rollups still differ from raw at ${wrong} keys after ${round} repairs`,
        })
      if (round === 0) repaired += wrong
      for (const rollup of ROLLUPS) {
        // What is to be there is added before anything goes: a rollup that answers only while it holds no day of another
        // zone must be whole when the last of those goes. What was taken out is missing, and added in the next round.
        yield* store.command(addMissing(rollup), {
          queryId: queryId(record(), "repair"),
          params: { ...paramsOf(piece), deadline: record().lease_until },
          settings: { insert_deduplicate: 0, async_insert: 0 },
        })
        yield* removeWrongTimes(rollup, piece, record())
      }
    }
  return repaired
})
