import { Effect } from "effect"
import { ClickHouse, type ClickHouseError } from "#clickhouse"
import type { LedgerRecord } from "#schemas/ledger.ts"
import { TABLES } from "#schemas/names.ts"
import { utcDay } from "#schemas/time.ts"
import type { ActionRow } from "./action-row.ts"
import { DELETE_SETTINGS, DELETE_WITHIN_LEASE, deleteParams, queryId } from "./fence.ts"
import { idKey, lookUp, sortRepeats, type StoredRow, type StoredRows } from "./repeats.ts"

/** What raw holds of a range of messages, and what it should. */
export interface Proof {
  readonly missing: ReadonlyArray<ActionRow>
  /** Rows that stand twice: all of an identity's rows but the first. */
  readonly surplus: ReadonlyArray<StoredRow>
  readonly conflicts: ReadonlyArray<ActionRow>
  readonly repeats: number
}

const isBefore = (a: StoredRow, b: StoredRow): boolean =>
  a.generation < b.generation || (a.generation === b.generation && a.seq < b.seq)

/** All rows of one identity but the one that came first. */
const surplusOf = (stored: StoredRows): ReadonlyArray<StoredRow> => {
  const surplus: Array<StoredRow> = []
  for (const rows of stored.values()) {
    if (rows.length < 2) continue
    const first = new Map<number, StoredRow>()
    for (const row of rows) {
      const known = first.get(row.time)
      if (known === undefined) first.set(row.time, row)
      else if (isBefore(row, known)) {
        surplus.push(known)
        first.set(row.time, row)
      } else surplus.push(row)
    }
  }
  return surplus
}

/** Compares the rows of a range, in the order of their sequences, with what raw holds of them. */
export const prove = Effect.fn("prove")(function* (
  rows: ReadonlyArray<ActionRow>,
  record: LedgerRecord,
): Effect.fn.Return<Proof, ClickHouseError, ClickHouse> {
  const stored = yield* lookUp(rows)
  const isStored = (row: ActionRow) =>
    (stored.get(idKey(row.tenant, row.event.id)) ?? []).some(
      (known) =>
        known.stream === record.stream &&
        known.generation === record.generation &&
        known.seq === row.seq &&
        known.time === row.time,
    )
  const others = rows.filter((row) => !isStored(row))
  const { fresh, repeats, conflicts } = sortRepeats(others, () => true, stored, [])
  return { missing: fresh, surplus: surplusOf(stored), conflicts, repeats }
})

const SEQUENCES_AT_ONCE = 1000

/**
 * Deletes surplus rows, each from the part in which it was seen. When two copies lie in one part both go, and the next
 * proof finds the row missing.
 */
export const deleteSurplus = Effect.fn("deleteSurplus")(function* (
  surplus: ReadonlyArray<StoredRow>,
  record: LedgerRecord,
): Effect.fn.Return<void, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  for (let at = 0; at < surplus.length; at += SEQUENCES_AT_ONCE) {
    const byPart = Map.groupBy(
      surplus.slice(at, at + SEQUENCES_AT_ONCE),
      (row) => `${row.stream} ${row.generation} ${row.part}`,
    )
    for (const rows of byPart.values())
      yield* store.command(
        `DELETE FROM ${TABLES.actions}
         WHERE tenant IN {tenants:Array(String)}
             AND toDate(time) IN {days:Array(Date)}
             AND stream = {stream:String}
             AND generation = {generation:UInt32}
             AND stream_seq IN {seqs:Array(UInt64)}
             AND _part = {part:String}
             AND ${DELETE_WITHIN_LEASE}`,
        {
          queryId: queryId(record, "delete"),
          params: {
            tenants: [...new Set(rows.map((row) => row.tenant))],
            days: [...new Set(rows.map((row) => utcDay(row.time)))].map((day) =>
              new Date(day * 86_400_000).toISOString().slice(0, 10),
            ),
            stream: rows[0]?.stream ?? "",
            generation: rows[0]?.generation ?? 0,
            seqs: rows.map((row) => row.seq),
            part: rows[0]?.part ?? "",
            ...deleteParams(record),
          },
          settings: DELETE_SETTINGS,
        },
      )
  }
})
