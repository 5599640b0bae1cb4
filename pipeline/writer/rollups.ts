import { Effect } from "effect"
import { ClickHouse, ClickHouseError } from "#clickhouse"
import type { LedgerRecord } from "#schemas/ledger.ts"
import { TABLES } from "#schemas/names.ts"
import { DELETE_SETTINGS, DELETE_WITHIN_LEASE, queryId, WITHIN_LEASE } from "./fence.ts"

/** Tenants and UTC days whose rollups are to be compared with raw. */
export interface Scope {
  readonly tenants: ReadonlyArray<string>
  /** `YYYY-MM-DD` */
  readonly days: ReadonlyArray<string>
}

/** A rollup: the aggregate of raw that its view keeps, written down once more to compare the two. */
interface Rollup {
  readonly table: string
  /** Key columns in order, each with the expression over raw that gives it. */
  readonly key: ReadonlyArray<{ readonly name: string; readonly of: string }>
  /** Which rows of raw make the keys of the scope. */
  readonly rawScope: string
  /** Which rows of the rollup have the keys of the scope. */
  readonly rollupScope: string
}

const RAW_FILTER = "a.actor_type = 'member' AND NOT a.automated AND a.impersonator_id = ''"

const ROLLUPS: ReadonlyArray<Rollup> = [
  {
    table: TABLES.activity15m,
    key: [
      { name: "tenant", of: "a.tenant" },
      { name: "quarter", of: "toStartOfFifteenMinutes(a.time)" },
      { name: "user_id", of: "a.actor_id" },
      { name: "action", of: "a.type" },
    ],
    rawScope: "toDate(a.time) IN {days:Array(Date)}",
    rollupScope: "toDate(r.quarter) IN {days:Array(Date)}",
  },
  {
    table: TABLES.activityDaily,
    key: [
      { name: "tenant", of: "a.tenant" },
      { name: "zone", of: "a.zone" },
      { name: "day", of: "a.local_day" },
      { name: "user_id", of: "a.actor_id" },
      { name: "action", of: "a.type" },
    ],
    // A UTC day lies in up to three local days (zones reach from -12 to +14 h), and these in up to five UTC days.
    rawScope: "toDate(a.time) IN {around:Array(Date)} AND a.local_day IN {localDays:Array(Date)}",
    rollupScope: "r.day IN {localDays:Array(Date)}",
  },
]

const names = (rollup: Rollup): string => rollup.key.map(({ name }) => name).join(", ")

/** Keys whose rollup differs from raw, with what has to be added, and the latest time on both sides. */
const differences = (rollup: Rollup): string => `
SELECT
    ${names(rollup)},
    sum(e) AS events,
    sum(q) AS quantity,
    max(raw_last) AS last_at,
    max(rollup_last) AS rollup_last_at
FROM
(
    SELECT
        ${rollup.key.map(({ name, of }) => `${of} AS ${name}`).join(",\n        ")},
        toInt64(count()) AS e,
        toInt64(sum(a.quantity)) AS q,
        max(a.time) AS raw_last,
        toDateTime64(0, 3, 'UTC') AS rollup_last
    FROM ${TABLES.actions} AS a
    WHERE a.tenant IN {tenants:Array(String)} AND ${rollup.rawScope} AND ${RAW_FILTER}
    GROUP BY ${names(rollup)}
    UNION ALL
    SELECT
        ${rollup.key.map(({ name }) => `r.${name} AS ${name}`).join(",\n        ")},
        -sum(r.events) AS e,
        -sum(r.quantity) AS q,
        toDateTime64(0, 3, 'UTC') AS raw_last,
        max(r.last_at) AS rollup_last
    FROM ${rollup.table} AS r
    WHERE r.tenant IN {tenants:Array(String)} AND ${rollup.rollupScope}
    GROUP BY ${names(rollup)}
)
GROUP BY ${names(rollup)}
HAVING events != 0 OR quantity != 0 OR last_at != rollup_last_at`

const DAY = 86_400_000

const widen = (days: ReadonlyArray<string>, by: number): ReadonlyArray<string> => {
  const wide = new Set<number>()
  for (const day of days)
    for (let step = -by; step <= by; step++) wide.add(Date.parse(`${day}T00:00:00Z`) + step * DAY)
  return [...wide].toSorted((a, b) => a - b).map((at) => new Date(at).toISOString().slice(0, 10))
}

const paramsOf = (scope: Scope) => ({
  ...scope,
  localDays: widen(scope.days, 1),
  around: widen(scope.days, 2),
})

/** Days that fit into one statement's parameters with room to spare. */
const DAYS_AT_ONCE = 400
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

/** A key as one string, to name many keys in one parameter. */
const keyText = (rollup: Rollup): string =>
  `concatWithSeparator('\\n', ${rollup.key.map(({ name }) => `toString(${name})`).join(", ")})`

const KEYS_AT_ONCE = 200

/**
 * A sum can be corrected by adding; a latest time that is too late cannot. Such keys, left by rows that raw never
 * kept, are taken out whole, and the next comparison writes them anew. Only the parts seen now are touched, so a
 * statement that runs late takes nothing of what came after.
 */
const removeTooLate = Effect.fnUntraced(function* (rollup: Rollup, scope: Scope, record: LedgerRecord) {
  const store = yield* ClickHouse
  const tooLate = yield* store.query<{ key: string }>(
    `SELECT ${keyText(rollup)} AS key FROM (${differences(rollup)}) WHERE rollup_last_at > last_at`,
    { params: paramsOf(scope) },
  )
  const where = `tenant IN {tenants:Array(String)} AND ${rollup.rollupScope.replace("r.", "")}
    AND ${keyText(rollup)} IN {keys:Array(String)}`
  for (let at = 0; at < tooLate.length; at += KEYS_AT_ONCE) {
    const params = { ...paramsOf(scope), keys: tooLate.slice(at, at + KEYS_AT_ONCE).map(({ key }) => key) }
    const parts = yield* store.query<{ part: string }>(
      `SELECT DISTINCT _part AS part FROM ${rollup.table} WHERE ${where}`,
      { params },
    )
    yield* store.command(
      `DELETE FROM ${rollup.table} WHERE ${where} AND _part IN {parts:Array(String)} AND ${DELETE_WITHIN_LEASE}`,
      {
        queryId: queryId(record, "remove"),
        params: { ...params, parts: parts.map(({ part }) => part), deadline: record.lease_until },
        settings: DELETE_SETTINGS,
      },
    )
  }
})

const addMissing = (rollup: Rollup) => `
INSERT INTO ${rollup.table} (${names(rollup)}, events, quantity, last_at)
SELECT ${names(rollup)}, events, quantity, last_at
FROM (${differences(rollup)})
WHERE ${WITHIN_LEASE}`

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
        yield* removeTooLate(rollup, piece, record())
        yield* store.command(addMissing(rollup), {
          queryId: queryId(record(), "repair"),
          params: { ...paramsOf(piece), deadline: record().lease_until },
          settings: { insert_deduplicate: 0, async_insert: 0 },
        })
      }
    }
  return repaired
})
