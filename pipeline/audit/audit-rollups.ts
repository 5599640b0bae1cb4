import { Effect } from "effect"
import type { ClickHouse } from "#clickhouse"
import type { Nats } from "#nats/connection.ts"
import { isWhole } from "../writer/kept-month.ts"
import type { MaintenanceError } from "../writer/maintenance.ts"
import { type Difference, SHOWN } from "./difference.ts"
import { type MonthProof, readMonths, rememberMonth } from "./proofs.ts"
import { type Quietly, rollupDifferences } from "./rollup-differences.ts"
import { daysOf, piecesOf } from "./rollup-scope.ts"

export interface MonthAudit extends MonthProof {
  /** The first so many differences. */
  readonly shown: ReadonlyArray<Difference>
}

/** What is audited of the rollups: months whose parts are others than when they were proved, or all of them. */
export interface MonthScope {
  readonly all: boolean
  /** These alone, YYYYMM. */
  readonly months?: ReadonlySet<number>
}

/** Compares every rollup with raw, month by month; what is proved is remembered. */
export const auditRollups = Effect.fn("auditRollups")(function* (
  scope: MonthScope,
  quietly: Quietly,
  onMonth: (month: MonthAudit, left: number) => Effect.Effect<void> = () => Effect.void,
): Effect.fn.Return<ReadonlyArray<MonthAudit>, MaintenanceError, ClickHouse | Nats> {
  const now = Date.now()
  const due = (yield* readMonths()).filter(
    ({ month, isProved }) =>
      // Of older ones raw has no longer every row, and the rollups are all that is known.
      isWhole(month, now) && (scope.months?.has(month) ?? true) && (scope.all || !isProved),
  )
  const audited: Array<MonthAudit> = []
  for (const [index, { month, parts }] of due.entries()) {
    const began = performance.now()
    const { events, pieces } = yield* piecesOf(daysOf(month))
    const shown: Array<Difference> = []
    // A local day is looked at with each piece of the days around it.
    const known = new Set<string>()
    for (const piece of pieces)
      for (const difference of yield* rollupDifferences(piece, quietly)) {
        const name = `${difference.tenant} ${difference.detail}`
        if (!known.has(name) && shown.length < SHOWN) shown.push(difference)
        known.add(name)
      }
    const differences = known.size
    const seconds = (performance.now() - began) / 1000
    const audit: MonthAudit = { month, parts, events, differences, shown, seconds }
    yield* rememberMonth({ month, parts, events, differences, seconds })
    yield* onMonth(audit, due.length - index - 1)
    audited.push(audit)
  }
  return audited
})
