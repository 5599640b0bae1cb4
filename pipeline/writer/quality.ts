import { Effect } from "effect"
import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { TABLES } from "#schemas/names.ts"
import type { Scope } from "./scope.ts"

export interface Note {
  readonly stream: string
  readonly kind: "messages_gone" | "new_generation" | "audit_differences"
  readonly generation: number
  readonly fromSeq: number
  readonly toSeq: number
  readonly detail: string
}

/** Puts a note where operators look, and says it in the log. */
export const noteQuality = Effect.fn("noteQuality")(function* (
  note: Note,
): Effect.fn.Return<void, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  yield* Effect.logError(note.detail).pipe(
    Effect.annotateLogs({ stream: note.stream, kind: note.kind, from: note.fromSeq, to: note.toSeq }),
  )
  yield* store.command(
    `INSERT INTO ${TABLES.dataQuality} (at, stream, kind, generation, from_seq, to_seq, detail)
     SELECT now64(3), {stream:String}, {kind:String}, {generation:UInt32}, {fromSeq:UInt64}, {toSeq:UInt64}, {detail:String}`,
    { params: { ...note } },
  )
})

/** Tenants and days of the rows that raw holds of a range of sequences: for ranges whose messages are gone. */
export const scopeOfStored = Effect.fn("scopeOfStored")(function* (range: {
  readonly stream: string
  readonly generation: number
  readonly from: number
  readonly to: number
}): Effect.fn.Return<Scope, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  const rows = yield* store.query<{ tenant: string; day: string }>(
    `SELECT DISTINCT tenant, toString(toDate(time)) AS day
     FROM ${TABLES.actions}
     WHERE stream = {stream:String} AND generation = {generation:UInt32}
         AND stream_seq BETWEEN {from:UInt64} AND {to:UInt64}`,
    { params: { ...range } },
  )
  return {
    tenants: [...new Set(rows.map(({ tenant }) => tenant))],
    days: [...new Set(rows.map(({ day }) => day))].toSorted(),
  }
})
