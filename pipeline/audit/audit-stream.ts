import { Effect } from "effect"
import type { ClickHouse, ClickHouseError } from "#clickhouse"
import type { Nats, NatsError } from "#nats/connection.ts"
import type { Judge } from "../writer/action-row.ts"
import { type Buried, readBuried } from "../writer/buried.ts"
import type { Range } from "../writer/read-range.ts"
import { withSentOn } from "./astray.ts"
import { blocksOf, committedRange, lifeOf, type NoLedger, receivedSince } from "./committed-range.ts"
import { type Difference, SHOWN } from "./difference.ts"
import { type RangeProof, readCoverage, rememberRange } from "./proofs.ts"
import { resolveRange } from "./resolve.ts"
import { compareRange } from "./compare.ts"
import type { Life } from "./stream-range.ts"

export interface StreamAudit extends RangeProof {
  /** The first so many differences. */
  readonly shown: ReadonlyArray<Difference>
}

/** What is audited of a stream. Sequences; what is absent is everything that is committed and not proved yet. */
export interface StreamScope {
  readonly stream: string
  readonly from?: number
  readonly to?: number
  /** Also what was proved before. */
  readonly all: boolean
}

/** Compares one block of a stream with raw. */
const auditBlock = Effect.fn("auditBlock")(function* (
  life: Life,
  range: Range,
  judge: Judge,
  buried: Buried,
  readAgain: Effect.Effect<Buried, NatsError, Nats>,
): Effect.fn.Return<StreamAudit, ClickHouseError | NatsError, ClickHouse | Nats> {
  const began = performance.now()
  const { judged, unequal } = yield* compareRange(life, range, judge, buried)
  const shown: Array<Difference> = []
  let repeats = 0
  let differences = 0
  let [first, last] = [Number.MAX_SAFE_INTEGER, 0]
  for (const piece of unequal) {
    const resolved = yield* withSentOn(
      life,
      resolveRange(life, piece, judge, buried),
      Effect.flatMap(readAgain, (now) => resolveRange(life, piece, judge, now)),
    )
    repeats += resolved.repeats
    differences += resolved.differences.length
    for (const { seq } of resolved.differences) [first, last] = [Math.min(first, seq), Math.max(last, seq)]
    shown.push(...resolved.differences.slice(0, SHOWN - shown.length))
  }
  return {
    ...life,
    from_seq: range.from,
    to_seq: range.to,
    messages: judged.messages,
    events: judged.rows,
    repeats,
    refused: judged.refused.length,
    gone: judged.gone,
    differences,
    wrong_from: differences === 0 ? 0 : first,
    wrong_to: last,
    shown,
    seconds: (performance.now() - began) / 1000,
  }
})

/**
 * A writer that begins proves its last batches again, and what it committed counts as committed only when it is through. What
 * was committed meanwhile is compared, too; a stream that is written without end ends an audit all the same.
 */
const PASSES = 3

/**
 * Compares a stream with raw: each message that is committed is one row, a repeat of one, or a dead letter, and each row
 * is what its message says. Gives a result a block, which is remembered; `onBlock` is called with each.
 */
export const auditStream = Effect.fn("auditStream")(function* (
  scope: StreamScope,
  judge: Judge,
  onBlock: (block: StreamAudit, to: number) => Effect.Effect<void> = () => Effect.void,
): Effect.fn.Return<
  { readonly life: Life; readonly blocks: ReadonlyArray<StreamAudit> },
  ClickHouseError | NatsError | NoLedger,
  ClickHouse | Nats
> {
  const { stream, all, ...asked } = scope
  const life = yield* lifeOf(stream)
  const proved = all || asked.from !== undefined ? 0 : (yield* readCoverage(life)).through
  const blocks: Array<StreamAudit> = []
  let from = asked.from ?? proved + 1
  for (let pass = 0; pass < PASSES; pass++) {
    const range = yield* committedRange(life, { ...asked, from })
    if (range.from > range.to) break
    const readLetters = readBuried(life, yield* receivedSince(life, range))
    const buried = yield* readLetters
    for (const block of blocksOf(range)) {
      const audited = yield* auditBlock(life, block, judge, buried, readLetters)
      const { shown: _, ...proof } = audited
      yield* rememberRange(proof)
      yield* onBlock(audited, range.to)
      blocks.push(audited)
    }
    from = range.to + 1
  }
  return { life, blocks }
})
