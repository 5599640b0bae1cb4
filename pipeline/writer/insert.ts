import { Effect } from "effect"
import { ClickHouse, type ClickHouseError } from "#clickhouse"
import type { LedgerRecord } from "#schemas/ledger.ts"
import { TABLES } from "#schemas/names.ts"
import { utcMonth } from "#schemas/time.ts"
import { ACTION_COLUMNS, encodeActions } from "./action-columns.ts"
import type { ActionRow } from "./action-row.ts"
import { queryId, WITHIN_LEASE } from "./fence.ts"

const NAMES = ACTION_COLUMNS.map(([name]) => name).join(", ")
const STRUCTURE = ACTION_COLUMNS.map(([name, type]) => `${name} ${type}`)
  .join(", ")
  .replaceAll("'", "\\'")

const STATEMENT = `
INSERT INTO ${TABLES.actions} (${NAMES})
SELECT ${NAMES}
FROM input('${STRUCTURE}')
WHERE ${WITHIN_LEASE}
FORMAT Native`

/** A block into many partitions makes many parts; the server refuses more than a hundred. */
const MAX_PARTITIONS = 12

/** The rows in groups that touch few enough of the raw table's monthly partitions, order kept within each. */
export const byPartitions = (rows: ReadonlyArray<ActionRow>): ReadonlyArray<ReadonlyArray<ActionRow>> => {
  const months = new Map<number, Array<ActionRow>>()
  for (const row of rows) {
    const month = utcMonth(row.time)
    const known = months.get(month)
    if (known === undefined) months.set(month, [row])
    else known.push(row)
  }
  if (months.size <= MAX_PARTITIONS) return rows.length === 0 ? [] : [rows]
  const groups: Array<Array<ActionRow>> = []
  const ordered = [...months.entries()].toSorted(([a], [b]) => a - b)
  for (let at = 0; at < ordered.length; at += MAX_PARTITIONS)
    groups.push(ordered.slice(at, at + MAX_PARTITIONS).flatMap(([, group]) => group))
  return groups
}

export interface InsertOptions {
  /**
   * Raw takes the rows even when a view throws. For repairs alone: the rollups are compared with raw right after, so
   * an error is always the raw table's own word about these rows.
   */
  readonly ignoreViews: boolean
}

/** Rows as the body of one insert. */
export interface EncodedInsert {
  readonly first: number
  readonly last: number
  readonly body: Buffer
}

/** Encodes rows, split so that no insert touches too many partitions. The rows themselves need not be kept. */
export const encodeInserts = (
  rows: ReadonlyArray<ActionRow>,
  record: LedgerRecord,
): ReadonlyArray<EncodedInsert> =>
  byPartitions(rows).map((group) => ({
    first: group[0]?.seq ?? 0,
    last: group.at(-1)?.seq ?? 0,
    body: encodeActions(group, record),
  }))

/** Inserts encoded rows into the raw table, once, under the lease of the record. */
export const sendInserts = Effect.fn("sendInserts")(function* (
  inserts: ReadonlyArray<EncodedInsert>,
  record: LedgerRecord,
  options: InsertOptions,
): Effect.fn.Return<void, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  for (const { first, last, body } of inserts)
    yield* store.insert({
      statement: STATEMENT,
      body: [body],
      queryId: queryId(record, `${first}-${last}`),
      params: { deadline: record.lease_until },
      settings: {
        // Nothing here rests on the server's own deduplication, and it must not drop a row that is inserted again
        // after a repair took it out.
        insert_deduplicate: 0,
        async_insert: 0,
        max_insert_block_size: "1048576",
        ...(options.ignoreViews ? { materialized_views_ignore_errors: 1 } : {}),
      },
    })
})

/** Encodes and inserts rows. */
export const insertActions = (
  rows: ReadonlyArray<ActionRow>,
  record: LedgerRecord,
  options: InsertOptions,
): Effect.Effect<void, ClickHouseError, ClickHouse> =>
  Effect.suspend(() => sendInserts(encodeInserts(rows, record), record, options))
