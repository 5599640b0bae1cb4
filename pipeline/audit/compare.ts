import { Effect } from "effect"
import type { ClickHouse, ClickHouseError } from "#clickhouse"
import type { Nats, NatsError } from "#nats/connection.ts"
import type { Judge } from "../writer/action-row.ts"
import type { Buried } from "../writer/buried.ts"
import type { Range } from "../writer/read-range.ts"
import { fingerprintRange, judgeRange, type Judgement, type Life, unequalGroups } from "./stream-range.ts"

/** Messages that are looked at one by one at once, which bounds memory. */
const AT_ONCE = 20_000

/** Neighbours in one piece, as long as it is small enough to be kept in memory. */
const joined = (ranges: ReadonlyArray<Range>): ReadonlyArray<Range> => {
  const pieces: Array<Range> = []
  for (const range of ranges) {
    const last = pieces.at(-1)
    if (last !== undefined && last.to + 1 === range.from && range.to - last.from < AT_ONCE)
      pieces[pieces.length - 1] = { from: last.from, to: range.to }
    else pieces.push(range)
  }
  return pieces
}

/** What a range of a stream comes to, and the pieces of it in which raw is not the same. */
export interface Comparison {
  readonly judged: Judgement
  readonly unequal: ReadonlyArray<Range>
}

/**
 * Compares a range of a stream with raw by sums alone. A refusal without a dead letter is in no sum; its sequence is a
 * piece of its own.
 */
export const compareRange = Effect.fn("compareRange")(function* (
  life: Life,
  range: Range,
  judge: Judge,
  buried: Buried,
): Effect.fn.Return<Comparison, ClickHouseError | NatsError, ClickHouse | Nats> {
  const [judged, stored] = yield* Effect.all(
    [judgeRange(life, range, judge), fingerprintRange(life, range)],
    {
      concurrency: 2,
    },
  )
  const groups = unequalGroups(judged.groups, stored, range)
  const isIn = (seq: number): boolean => groups.some(({ from, to }) => seq >= from && seq <= to)
  const unburied = judged.refused.filter((seq) => !buried.here.has(seq) && !isIn(seq))
  return { judged, unequal: [...joined(groups), ...unburied.map((seq) => ({ from: seq, to: seq }))] }
})
