import { Effect } from "effect"
import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { DATABASE, TABLES } from "#schemas/names.ts"
import type { Nats, NatsError } from "#nats/connection.ts"
import { insertRows, instant } from "../apply/insert-rows.ts"
import { ROLLUPS } from "../writer/rollups.ts"
import { firstHeld } from "./committed-range.ts"
import { type Compared, type Coverage, coverageOf } from "./coverage.ts"
import type { Life } from "./stream-range.ts"

/** A range of a stream that was compared with raw, message by message. */
export interface RangeProof extends Life {
  readonly from_seq: number
  readonly to_seq: number
  readonly messages: number
  /** Valid messages, repeats included. */
  readonly events: number
  readonly repeats: number
  readonly refused: number
  /** Sequences that the stream did not hold any more. */
  readonly gone: number
  readonly differences: number
  /** The first and the last sequence that differs; 0 without any. */
  readonly wrong_from: number
  readonly wrong_to: number
  readonly seconds: number
}

/** A month of raw that was compared with every rollup. */
export interface MonthProof {
  /** YYYYMM, in UTC. */
  readonly month: number
  /** Which parts it was made of. */
  readonly parts: string
  readonly events: number
  readonly differences: number
  readonly seconds: number
}

/** Writes a row into one of the tables that audits keep, with the time. */
export const remember = (table: string, row: object) =>
  insertRows([{ table, row: { ...row, at: instant(Date.now()) } }])

export const rememberRange = (proof: RangeProof) => remember(TABLES.auditProofs, proof)
export const rememberMonth = (proof: MonthProof) => remember(TABLES.auditMonths, proof)

/** What the comparisons of a stream's life come to. */
export const readCoverage = Effect.fn("readCoverage")(function* ({
  stream,
  generation,
}: Life): Effect.fn.Return<Coverage, ClickHouseError | NatsError, ClickHouse | Nats> {
  const store = yield* ClickHouse
  const compared = yield* store.query<Compared>(
    `SELECT
       from_seq AS from_seq,
       to_seq AS to_seq,
       differences AS differences,
       wrong_from AS wrong_from,
       wrong_to AS wrong_to
     FROM ${TABLES.auditProofs}
     WHERE stream = {stream:String} AND generation = {generation:UInt32}
     ORDER BY at DESC`,
    { params: { stream, generation } },
  )
  return coverageOf(compared, yield* firstHeld(stream))
})

// Parts are never changed, and a name comes back only in a store that was put back and in a rollup that was rebuilt, whose
// parts were written at another time. A merge makes others of the same rows, and a rebuild of the months that stay: the
// month is compared once more, which costs time and nothing else.
const MONTHS = `
SELECT
  toUInt32(partition_id) AS month,
  toString(groupBitXor(sipHash64(table, name, modification_time))) AS parts
FROM system.parts
WHERE database = {database:String} AND table IN {tables:Array(String)} AND active
GROUP BY month
ORDER BY month`

const PROVED = `
SELECT
  month AS month,
  argMax(parts, at) AS parts,
  argMax(differences, at) AS differences
FROM ${TABLES.auditMonths}
GROUP BY month`

const plain = (table: string): string => table.slice(DATABASE.length + 1)

/** Months of raw and of the rollups, with the parts they are made of now, and whether these were proved before. */
export const readMonths = Effect.fn("readMonths")(function* (): Effect.fn.Return<
  ReadonlyArray<{ readonly month: number; readonly parts: string; readonly isProved: boolean }>,
  ClickHouseError,
  ClickHouse
> {
  const store = yield* ClickHouse
  const tables = [TABLES.actions, ...ROLLUPS.map(({ table }) => table)].map(plain)
  const months = yield* store.query<{ readonly month: number; readonly parts: string }>(MONTHS, {
    params: { database: DATABASE, tables },
  })
  const proved = new Map(
    (yield* store.query<MonthProof>(PROVED)).map(({ month, parts, differences }) => [
      month,
      differences === 0 ? parts : undefined,
    ]),
  )
  return months.map(({ month, parts }) => ({ month, parts, isProved: proved.get(month) === parts }))
})
