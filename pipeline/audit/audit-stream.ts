import { Effect, Schema } from "effect"
import type { ClickHouse, ClickHouseError } from "#clickhouse"
import { attemptNats, Nats, type NatsError } from "#nats/connection.ts"
import type { Judge } from "../writer/action-row.ts"
import { openLedger } from "../writer/ledger.ts"
import { messageAt } from "../writer/marks.ts"
import { readBuried } from "./dead-letters.ts"
import { type Difference, SHOWN } from "./difference.ts"
import { type RangeProof, readCoverage, rememberRange } from "./proofs.ts"
import { resolveRange } from "./resolve.ts"
import { fingerprintRange, judgeRange, type Life, unequalGroups } from "./stream-range.ts"

/** The audit could not be made; that is no difference, and no proof either. */
export class AuditImpossible extends Schema.TaggedError<AuditImpossible>()("AuditImpossible", {
  stream: Schema.String,
  detail: Schema.String,
}) {
  override get message(): string {
    return `${this.stream} cannot be audited: ${this.detail}`
  }
}

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

/** Each block is one pass over raw's sequences, and one row of what is remembered. */
const BLOCK = 250_000

interface Range {
  readonly from: number
  readonly to: number
}

/** Neighbours in one piece, as long as it is small enough to be kept in memory. */
const joined = (ranges: ReadonlyArray<Range>, most: number): ReadonlyArray<Range> => {
  const pieces: Array<Range> = []
  for (const range of ranges) {
    const last = pieces.at(-1)
    if (last !== undefined && last.to + 1 === range.from && range.to - last.from < most)
      pieces[pieces.length - 1] = { from: last.from, to: range.to }
    else pieces.push(range)
  }
  return pieces
}

const AT_ONCE = 20_000

/** The groups of messages whose refusals have no dead letter, which sums cannot show. */
const groupsOf = (seqs: ReadonlyArray<number>): ReadonlyArray<Range> =>
  seqs.map((seq) => ({ from: seq, to: seq }))

/** Compares one block of a stream with raw. */
const auditBlock = Effect.fn("auditBlock")(function* (
  life: Life,
  range: Range,
  judge: Judge,
  buried: ReadonlySet<number>,
): Effect.fn.Return<StreamAudit, ClickHouseError | NatsError, ClickHouse | Nats> {
  const began = performance.now()
  const [judged, stored] = yield* Effect.all(
    [judgeRange(life, range, judge), fingerprintRange(life, range)],
    {
      concurrency: 2,
    },
  )
  const unequal = unequalGroups(judged.groups, stored, range)
  const isUnequal = (seq: number): boolean => unequal.some(({ from, to }) => seq >= from && seq <= to)
  const unburied = judged.refused.filter((seq) => !buried.has(seq) && !isUnequal(seq))
  const shown: Array<Difference> = []
  let repeats = 0
  let differences = 0
  for (const piece of [...joined(unequal, AT_ONCE), ...groupsOf(unburied)]) {
    const resolved = yield* resolveRange(life, piece, judge, buried)
    repeats += resolved.repeats
    differences += resolved.differences.length
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
    shown,
    seconds: (performance.now() - began) / 1000,
  }
})

/** The range that a scope comes to: no further than what is committed, no earlier than what the stream holds. */
const rangeOf = Effect.fnUntraced(function* (scope: StreamScope) {
  const { stream } = scope
  const { manager } = yield* Nats
  const record = yield* (yield* openLedger(stream, "audit")).peek
  if (record === undefined)
    return yield* new AuditImpossible({
      stream,
      detail: "no writer ever owned it, so nothing of it is stored",
    })
  const life: Life = { stream, generation: record.generation }
  const { state } = yield* attemptNats("look at the stream", () => manager.streams.info(stream))
  const proved = scope.all || scope.from !== undefined ? 0 : (yield* readCoverage(life)).through
  const from = Math.max(scope.from ?? proved + 1, state.first_seq, 1)
  const to = Math.min(scope.to ?? record.committed, record.committed)
  return { life, from, to }
})

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
  ClickHouseError | NatsError | AuditImpossible,
  ClickHouse | Nats
> {
  const { life, from, to } = yield* rangeOf(scope)
  const blocks: Array<StreamAudit> = []
  if (from > to) return { life, blocks }
  const first = yield* messageAt(life.stream, from)
  const buried = yield* readBuried(life, first?.receivedAt ?? 0)
  for (let at = from; at <= to; at += BLOCK) {
    const block = yield* auditBlock(life, { from: at, to: Math.min(to, at + BLOCK - 1) }, judge, buried)
    const { shown: _, ...proof } = block
    yield* rememberRange(proof)
    yield* onBlock(block, to)
    blocks.push(block)
  }
  return { life, blocks }
})
