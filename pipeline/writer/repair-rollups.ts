import { Effect } from "effect"
import { ClickHouse, ClickHouseError } from "#clickhouse"
import type { LedgerRecord } from "#schemas/ledger.ts"
import { DELETE_SETTINGS, DELETE_WITHIN_LEASE, deleteParams, queryId, WITHIN_LEASE } from "./fence.ts"
import { beyondAdding, columnsOf, differences, keyText, type Rollup, ROLLUPS } from "./rollups.ts"
import { halve, ofPiece, paramsOf, type Piece, type Scope } from "./scope.ts"

/** A month of a large tenant is what the server sums up within a writer's memory; what is too much for it is halved. */
const DAYS_AT_ONCE = 31
const TENANTS_AT_ONCE = 200
/** Of one tenant's day. */
const MOST_PARTS = 4096

const atOnce = function* (scope: Scope): Generator<Piece> {
  for (let t = 0; t < scope.tenants.length; t += TENANTS_AT_ONCE)
    for (let d = 0; d < scope.days.length; d += DAYS_AT_ONCE)
      yield {
        tenants: scope.tenants.slice(t, t + TENANTS_AT_ONCE),
        days: scope.days.slice(d, d + DAYS_AT_ONCE),
        part: 0,
        parts: 1,
      }
}

/** Number of keys in the piece at which a rollup differs from raw; 0 is the proof. */
const countDifferences = Effect.fn("countDifferences")(function* (
  piece: Piece,
): Effect.fn.Return<number, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  let total = 0
  for (const rollup of ROLLUPS) {
    const rows = yield* store.query<{ n: number }>(
      `SELECT count() AS n FROM (${differences(ofPiece(rollup, piece))})`,
      { params: paramsOf(piece) },
    )
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
const removeWrongTimes = Effect.fnUntraced(function* (rollup: Rollup, piece: Piece, record: LedgerRecord) {
  const store = yield* ClickHouse
  const wrong = yield* store.query<{ key: string }>(
    `SELECT ${keyText(rollup, "\\n")} AS key FROM (${differences(ofPiece(rollup, piece))}) WHERE ${beyondAdding(rollup)}`,
    { params: paramsOf(piece) },
  )
  const where = `tenant IN {tenants:Array(String)} AND ${rollup.rollupScope.replace("r.", "")}
    AND ${keyText(rollup, "\\n")} IN {keys:Array(String)}`
  for (let at = 0; at < wrong.length; at += KEYS_AT_ONCE) {
    const params = { ...paramsOf(piece), keys: wrong.slice(at, at + KEYS_AT_ONCE).map(({ key }) => key) }
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

/** What a piece lacks is added; gives how many keys were wrong. */
const add = Effect.fnUntraced(function* (piece: Piece, record: LedgerRecord) {
  const store = yield* ClickHouse
  const wrong = yield* countDifferences(piece)
  if (wrong > 0)
    for (const rollup of ROLLUPS)
      yield* store.command(addMissing(ofPiece(rollup, piece)), {
        queryId: queryId(record, "repair"),
        params: { ...paramsOf(piece), deadline: record.lease_until },
        settings: { insert_deduplicate: 0, async_insert: 0 },
      })
  return wrong
})

const remove = (piece: Piece, record: LedgerRecord) =>
  Effect.forEach(ROLLUPS, (rollup) => removeWrongTimes(rollup, piece, record), { discard: true })

const MAX_ROUNDS = 20

/** Takes out what is too much in a piece, and adds what that takes along, until nothing is wrong. */
const end = Effect.fnUntraced(function* (piece: Piece, record: () => LedgerRecord) {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    yield* remove(piece, record())
    const wrong = yield* add(piece, record())
    if (wrong === 0) return 0
  }
  return yield* new ClickHouseError({
    reason: "other",
    detail: `rollups still differ from raw at some keys after ${MAX_ROUNDS} repairs`,
  })
})

/** Does something with each piece, or with its halves where it is too much for the store; gives what came of which. */
const inPieces = Effect.fnUntraced(function* (
  pieces: ReadonlyArray<Piece>,
  act: (piece: Piece) => Effect.Effect<number, ClickHouseError, ClickHouse>,
) {
  const done: Array<{ readonly piece: Piece; readonly wrong: number }> = []
  const left = [...pieces].toReversed()
  for (let piece = left.pop(); piece !== undefined; piece = left.pop()) {
    const one = piece
    yield* act(one).pipe(
      Effect.map((wrong) => void done.push({ piece: one, wrong })),
      Effect.catchIf(
        ({ reason }) => reason === "memory_limit" && one.parts < MOST_PARTS,
        () => Effect.sync(() => void left.push(...halve(one))),
      ),
    )
  }
  return done
})

/**
 * Makes the rollups of the scope equal to the aggregate of raw, whatever state they are in, and returns how many keys
 * were wrong. It converges because nobody else writes these tenants meanwhile; the last comparison found nothing.
 */
export const repairRollups = Effect.fn("repairRollups")(function* (
  scope: Scope,
  record: () => LedgerRecord,
): Effect.fn.Return<number, ClickHouseError, ClickHouse> {
  // What is to be there is added everywhere before anything goes: a rollup that answers only while it holds no day of another
  // zone must be whole when the last of those goes.
  const added = yield* inPieces([...atOnce(scope)], (piece) => add(piece, record()))
  const wrong = added.filter((one) => one.wrong > 0)
  yield* inPieces(
    wrong.map(({ piece }) => piece),
    (piece) => end(piece, record),
  )
  return wrong.reduce((sum, one) => sum + one.wrong, 0)
})
