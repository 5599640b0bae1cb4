import { Effect } from "effect"
import type { ClickHouse } from "#clickhouse"
import type { Unproved } from "#schemas/ledger.ts"
import { SUBJECTS } from "#schemas/names.ts"
import type { Nats } from "#nats/connection.ts"
import { blocksOf, committedRange, lifeOf, type NoLedger, receivedSince } from "../audit/committed-range.ts"
import { compareRange } from "../audit/compare.ts"
import { readTombstones, Tombstones } from "../erase/tombstones.ts"
import { Judge } from "../writer/action-row.ts"
import { readBuried } from "../writer/buried.ts"
import { maintain, type MaintenanceError, type MaintenanceOptions } from "../writer/maintenance.ts"
import { MAX_ACTION_AGE } from "../writer/open-writer.ts"
import type { Range } from "../writer/read-range.ts"
import { touched } from "../writer/repeats.ts"
import { settleMessages } from "../writer/settle.ts"
import { changing } from "../writer/unproved.ts"
import type { Zones } from "../writer/zones.ts"
import { findMissing, type Missing, type Wanted } from "./find-missing.ts"
import { endProgress, type ReplayProgress, writeProgress } from "./progress.ts"

/** What is replayed of a stream. */
export interface ReplayScope {
  /** Sequences; what is absent is as far as the stream and the ledger go. */
  readonly from?: number
  readonly to?: number
  /** Messages of these subjects alone; absent: all. */
  readonly subject?: string
}

export interface ReplayOptions {
  readonly maintenance: MaintenanceOptions
  readonly zones: Zones
  /** False: says what would be added, and adds nothing. */
  readonly apply: boolean
  /** A replay that was broken off, to be taken up again. */
  readonly resume?: ReplayProgress
  readonly onBlock?: (done: {
    readonly through: number
    readonly to: number
    readonly added: number
  }) => Effect.Effect<void>
}

export interface Replay {
  readonly stream: string
  readonly range: Range
  readonly added: number
  readonly byDay: ReadonlyArray<{ readonly tenant: string; readonly day: string; readonly events: number }>
}

export const ALL = `${SUBJECTS.actions}.>`

const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10)

const scopeOf = (missing: ReadonlyArray<Missing>): Unproved => {
  const { tenants, days } = touched(missing.map(({ row }) => row))
  return { tenants, from: days[0] ?? "", to: days.at(-1) ?? "" }
}

/** Adds what is missing of some pieces, as the partition's owner: looked for once more, since the writer went on until now. */
const addMissing = Effect.fnUntraced(function* (
  wanted: Wanted,
  pieces: ReadonlyArray<Range>,
  note: (missing: ReadonlyArray<Missing>) => void,
) {
  for (const piece of pieces) {
    const missing = yield* findMissing(wanted, piece)
    if (missing.length === 0) continue
    yield* changing(scopeOf(missing), settleMessages(missing.map(({ message }) => message)))
    note(missing)
  }
})

/**
 * Inserts what the stream holds of a range and raw does not, and nothing else: a store that is complete is not touched. The
 * writer goes on meanwhile, and pauses only while something is added. Refused messages are not replayed here; their dead
 * letters are.
 */
export const replay = Effect.fn("replay")(function* (
  { subject = ALL, ...asked }: ReplayScope,
  { maintenance, zones, apply, resume, onBlock = () => Effect.void }: ReplayOptions,
): Effect.fn.Return<Replay, MaintenanceError | NoLedger, ClickHouse | Nats> {
  const { stream, maxClockAhead } = maintenance
  const life = yield* lifeOf(stream)
  const range = yield* committedRange(
    life,
    resume === undefined ? asked : { from: resume.next, to: resume.to },
  )
  const tombstones = new Tombstones()
  tombstones.set(yield* readTombstones())
  const wanted: Wanted = {
    life,
    judge: new Judge({ maxClockAhead, maxAge: MAX_ACTION_AGE }, zones, tombstones),
    buried: yield* readBuried(life, yield* receivedSince(life, range)),
    subject: resume?.subject ?? subject,
  }
  const byDay = new Map<string, { tenant: string; day: string; events: number }>()
  let added = resume?.added ?? 0
  const note = (missing: ReadonlyArray<Missing>) => {
    added += missing.length
    for (const { row } of missing) {
      const day = dayOf(row.time)
      const known = byDay.get(`${row.tenant} ${day}`) ?? { tenant: row.tenant, day, events: 0 }
      known.events++
      byDay.set(`${row.tenant} ${day}`, known)
    }
  }
  const progress = (next: number): ReplayProgress => ({
    ...life,
    from: resume?.from ?? range.from,
    to: range.to,
    subject: wanted.subject,
    next,
    added,
    began_at: resume?.began_at ?? new Date().toISOString(),
  })
  for (const block of blocksOf(range)) {
    if (apply) yield* writeProgress(progress(block.from))
    const { unequal } = yield* compareRange(life, block, wanted.judge, wanted.buried)
    const lacking: Array<Range> = []
    for (const piece of unequal) {
      const missing = yield* findMissing(wanted, piece)
      if (missing.length > 0) lacking.push(piece)
      if (!apply) note(missing)
    }
    if (apply && lacking.length > 0) yield* maintain(maintenance, zones, addMissing(wanted, lacking, note))
    yield* onBlock({ through: block.to, to: range.to, added })
  }
  if (apply) yield* endProgress(stream)
  return {
    stream,
    range,
    added,
    byDay: [...byDay.values()].toSorted((a, b) => (a.tenant + a.day < b.tenant + b.day ? -1 : 1)),
  }
})
