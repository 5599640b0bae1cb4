import { Effect } from "effect"
import { ClickHouse, type ClickHouseError } from "#clickhouse"
import type { Nats } from "#nats/connection.ts"
import { isWhole } from "../writer/kept-month.ts"
import type { Writer } from "../writer/context.ts"
import { maintain, type MaintenanceError, type MaintenanceOptions } from "../writer/maintenance.ts"
import type { Rollup } from "../writer/rollups.ts"
import { changing } from "../writer/unproved.ts"
import type { Zones } from "../writer/zones.ts"
import { correct, countWrong } from "./check.ts"
import { readCut } from "./cut.ts"
import { addBeyond, fillMonth, fingerprint, hasTotals } from "./fill.ts"
import { monthsIn, monthsOfRaw } from "./month.ts"
import { putInPlace } from "./put-in-place.ts"
import { makeShadow } from "./shadow.ts"

export interface RebuildOptions {
  /** Every stream of actions, in the order of their names. */
  readonly streams: ReadonlyArray<MaintenanceOptions>
  readonly zones: Zones
  /** These months alone, YYYYMM; absent: all that raw has whole. */
  readonly months?: ReadonlySet<number>
  readonly onMonth?: (month: number, left: number) => Effect.Effect<void>
}

export interface Rebuilt {
  readonly table: string
  readonly months: ReadonlyArray<number>
  /** Months that are left as they are: raw has no longer all rows of them. */
  readonly kept: ReadonlyArray<number>
  /** How long the writers paused, seconds. */
  readonly paused: number
}

/** The months that a rollup has, or should have, and those of them that raw can build it from. */
const monthsOf = Effect.fnUntraced(function* (rollup: Rollup, wanted: ReadonlySet<number> | undefined) {
  const store = yield* ClickHouse
  const due = yield* store.query<{ readonly month: number }>(monthsOfRaw(rollup))
  const months = [...new Set([...(yield* monthsIn(rollup)), ...due.map(({ month }) => month)])]
    .filter((month) => wanted?.has(month) ?? true)
    .toSorted((a, b) => a - b)
  const now = Date.now()
  return {
    months: months.filter((month) => isWhole(month, now)),
    kept: months.filter((month) => !isWhole(month, now)),
  }
})

/**
 * Does work as the owner of every stream, each of whose ledgers names the shadow that is about to be exchanged with the
 * rollup. No rollup need be repaired when this is broken off: both tables are whole, and one of them is in place.
 */
const behindBarriers = (
  streams: ReadonlyArray<MaintenanceOptions>,
  zones: Zones,
  shadow: string,
  work: Effect.Effect<void, MaintenanceError, ClickHouse | Nats | Writer>,
): Effect.Effect<void, MaintenanceError, ClickHouse | Nats> => {
  const [first, ...rest] = streams
  if (first === undefined) return Effect.void
  const today = new Date().toISOString().slice(0, 10)
  const inner = changing(
    { tenants: [], from: today, to: today, shadow },
    rest.length === 0 ? work : behindBarriers(rest, zones, shadow, work),
  )
  return Effect.asVoid(maintain(first, zones, inner))
}

/**
 * Builds a rollup anew from raw, beside the one that is read, and puts it in its place in one step. Writers go on while it is
 * built up to a cut of the streams and compared with raw key by key; they pause while what came since is added, counted, and
 * put in place. A reader sees the whole rollup as it was or as it is, nothing between, however many months it asks for.
 */
export const rebuild = Effect.fn("rebuild")(function* (
  rollup: Rollup,
  { streams, zones, months: wanted, onMonth = () => Effect.void }: RebuildOptions,
): Effect.fn.Return<Rebuilt, MaintenanceError, ClickHouse | Nats> {
  const { months, kept } = yield* monthsOf(rollup, wanted)
  const cut = yield* readCut(streams.map(({ stream }) => stream))
  const build = Effect.gen(function* () {
    const shadow = yield* makeShadow(rollup)
    const prints = new Map<number, string>()
    for (const [index, month] of months.entries()) {
      prints.set(month, yield* fingerprint(rollup, month, cut))
      yield* fillMonth(rollup, shadow, month, cut)
      yield* correct(rollup, shadow, month, cut)
      yield* onMonth(month, months.length - index - 1)
    }
    let began = 0
    const swap = Effect.gen(function* () {
      began = performance.now()
      for (const month of months) {
        yield* addBeyond(rollup, shadow, month, cut)
        const isSame = (yield* fingerprint(rollup, month, cut)) === prints.get(month)
        if (!isSame || !(yield* hasTotals(rollup, shadow, month))) yield* correct(rollup, shadow, month)
      }
      yield* putInPlace(rollup, shadow, months)
    })
    if (months.length > 0) yield* behindBarriers(streams, zones, shadow, swap)
    return (performance.now() - began) / 1000
  })
  const paused = yield* Effect.scoped(build)
  return { table: rollup.table, months, kept, paused: months.length === 0 ? 0 : paused }
})

/** Keys of a rollup that are not what raw sums up to, by month: what a rebuild would put right. */
export const lookAt = Effect.fn("lookAt")(function* (
  rollup: Rollup,
  wanted: ReadonlySet<number> | undefined,
): Effect.fn.Return<
  {
    readonly months: ReadonlyArray<{ readonly month: number; readonly wrong: number }>
    readonly kept: ReadonlyArray<number>
  },
  ClickHouseError,
  ClickHouse
> {
  const { months, kept } = yield* monthsOf(rollup, wanted)
  const looked = yield* Effect.forEach(months, (month) =>
    Effect.map(countWrong(rollup, rollup.table, month), (wrong) => ({ month, wrong })),
  )
  return { months: looked, kept }
})
