import { Effect } from "effect"
import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { TABLES } from "#schemas/names.ts"
import type { Nats, NatsError } from "#nats/connection.ts"
import type { Judge } from "../writer/action-row.ts"
import { type Range, readRange } from "../writer/read-range.ts"
import { type Fingerprint, halvesOf, HIGH_OF, LOW_OF, ROW_HASH } from "./fingerprint.ts"

/** A life of a stream, whose sequences name events. */
export interface Life {
  readonly stream: string
  readonly generation: number
}

/** Sequences are compared in groups of so many; only groups that differ are looked at one by one. */
const GROUP = 1000

const groupOf = (seq: number): number => Math.floor(seq / GROUP)

/** What the messages of a range come to, by group of sequences. */
export interface Judgement {
  readonly groups: ReadonlyMap<number, Fingerprint>
  /** Sequences of messages that were refused. */
  readonly refused: ReadonlyArray<number>
  readonly messages: number
  readonly rows: number
  /** Sequences that the stream does not hold any more. */
  readonly gone: number
}

const AT_ONCE = { rows: 20_000, bytes: 32 * 1024 * 1024 }

/** Reads the messages of a range and judges them, as the writer did. Nothing of them is kept but sums. */
export const judgeRange = Effect.fn("judgeRange")(function* (
  { stream }: Life,
  range: Range,
  judge: Judge,
): Effect.fn.Return<Judgement, NatsError, Nats> {
  const groups = new Map<number, { rows: number; low: number; high: number }>()
  const refused: Array<number> = []
  let messages = 0
  let rows = 0
  for (let from = range.from; from <= range.to;) {
    const read = yield* readRange({ stream, from, to: range.to }, AT_ONCE)
    for (const message of read.messages) {
      messages++
      const judged = judge.judge(message)
      if (!judged.ok) {
        if (judged.reason !== "erased") refused.push(message.seq)
        continue
      }
      const { row } = judged
      rows++
      const { low, high } = halvesOf(row, stream)
      const group = groups.get(groupOf(row.seq)) ?? { rows: 0, low: 0, high: 0 }
      group.rows++
      group.low += low
      group.high += high
      groups.set(groupOf(row.seq), group)
    }
    from = read.through + 1
  }
  return { groups, refused, messages, rows, gone: range.to - range.from + 1 - messages }
})

/** What raw holds of a range, by group of sequences. */
export const fingerprintRange = Effect.fn("fingerprintRange")(function* (
  life: Life,
  range: Range,
): Effect.fn.Return<ReadonlyMap<number, Fingerprint>, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  const stored = yield* store.query<Fingerprint & { readonly group: number }>(
    `SELECT
       intDiv(seq, ${GROUP}) AS group,
       count() AS rows,
       sum(${LOW_OF("md5")}) AS low,
       sum(${HIGH_OF("md5")}) AS high
     FROM
     (
         SELECT
             a.stream_seq AS seq,
             ${ROW_HASH} AS md5
         FROM ${TABLES.actions} AS a
         WHERE a.stream = {stream:String}
             AND a.generation = {generation:UInt32}
             AND a.stream_seq BETWEEN {from:UInt64} AND {to:UInt64}
     )
     GROUP BY group`,
    { params: { ...life, ...range } },
  )
  return new Map(stored.map(({ group, rows, low, high }) => [group, { rows, low, high }]))
})

const NOTHING: Fingerprint = { rows: 0, low: 0, high: 0 }

/** The groups of a range in which stream and raw are not the same, as ranges of sequences. */
export const unequalGroups = (
  judged: ReadonlyMap<number, Fingerprint>,
  stored: ReadonlyMap<number, Fingerprint>,
  range: Range,
): ReadonlyArray<Range> =>
  [...new Set([...judged.keys(), ...stored.keys()])]
    .filter((group) => {
      const a = judged.get(group) ?? NOTHING
      const b = stored.get(group) ?? NOTHING
      return a.rows !== b.rows || a.low !== b.low || a.high !== b.high
    })
    .toSorted((a, b) => a - b)
    .map((group) => ({
      from: Math.max(range.from, group * GROUP),
      to: Math.min(range.to, group * GROUP + GROUP - 1),
    }))
