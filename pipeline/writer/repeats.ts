import { Effect } from "effect"
import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { TABLES } from "#schemas/names.ts"
import { utcDay } from "#schemas/time.ts"
import type { ActionRow } from "./action-row.ts"

/** One row of the raw table that carries an id somebody asked for. */
export interface StoredRow {
  readonly tenant: string
  readonly id: string
  /** Milliseconds since 1970. */
  readonly time: number
  readonly stream: string
  readonly generation: number
  readonly seq: number
  /** The part that holds it; part names never come back. */
  readonly part: string
}

/** Tenant and id, by which repeats are looked for; the time tells a repeat from a conflict. */
export const idKey = (tenant: string, id: string): string => `${tenant}:${id}`

/** What makes an event this event and no other. */
export interface Identity {
  readonly tenant: string
  readonly id: string
  /** Milliseconds since 1970. */
  readonly time: number
}

export const identityOf = ({ tenant, event, time }: ActionRow): Identity => ({ tenant, id: event.id, time })

/** Stored rows by `idKey`. */
export type StoredRows = ReadonlyMap<string, ReadonlyArray<StoredRow>>

const dayText = (day: number): string => new Date(day * 86_400_000).toISOString().slice(0, 10)

/** The tenants and UTC days that rows touch: what look-ups and repairs go by. */
export const touched = (
  rows: ReadonlyArray<ActionRow>,
): { readonly tenants: ReadonlyArray<string>; readonly days: ReadonlyArray<string> } => {
  const tenants = new Set<string>()
  const days = new Set<number>()
  for (const row of rows) {
    tenants.add(row.tenant)
    days.add(utcDay(row.time))
  }
  return { tenants: [...tenants], days: [...days].toSorted((a, b) => a - b).map(dayText) }
}

// `identity` keeps the server from weighing every id against every granule of the key, which for tens of thousands
// of ids costs far more than reading the days they lie in (the tuple form was seen to take minutes).
const LOOK_UP = `
SELECT
    a.tenant AS tenant,
    a.id AS id,
    toUnixTimestamp64Milli(a.time) AS time,
    a.stream AS stream,
    a.generation AS generation,
    a.stream_seq AS seq,
    a._part AS part
FROM ${TABLES.actions} AS a
WHERE a.tenant IN {tenants:Array(String)}
    AND toDate(a.time) IN {days:Array(Date)}
    AND identity(a.id) IN {ids:Array(String)}`

const IDS_AT_ONCE = 50_000

/** What the raw table holds under the ids of these rows, on the UTC days of these rows. */
export const lookUp = Effect.fn("lookUp")(function* (
  rows: ReadonlyArray<ActionRow>,
): Effect.fn.Return<StoredRows, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  const found = new Map<string, Array<StoredRow>>()
  for (let at = 0; at < rows.length; at += IDS_AT_ONCE) {
    const some = rows.slice(at, at + IDS_AT_ONCE)
    const stored = yield* store.query<StoredRow>(LOOK_UP, {
      params: { ...touched(some), ids: some.map((row) => row.event.id) },
    })
    for (const row of stored) {
      const key = idKey(row.tenant, row.id)
      const known = found.get(key)
      if (known === undefined) found.set(key, [row])
      else known.push(row)
    }
  }
  return found
})

/** When a fresh event can be told from a missed repeat without a look-up. Durations and instants in milliseconds. */
export interface LookUpRule {
  readonly duplicateWindow: number
  readonly maxClockAhead: number
  /** Messages received before it are all looked up. */
  readonly lookUpAllUntil: number
}

/**
 * True for a row that may repeat one the broker has forgotten. The broker misses only repeats received at least W
 * after the first; clocks run ahead by at most A; so a missed repeat has received - time >= W - A. Half of that is
 * slack for clock steps.
 */
export const mayRepeat = (row: ActionRow, rule: LookUpRule): boolean =>
  row.replayed ||
  row.receivedAt < rule.lookUpAllUntil ||
  row.receivedAt - row.time >= (rule.duplicateWindow - rule.maxClockAhead) / 2

/** What becomes of rows that were looked up. */
export interface Sorted {
  /** To be inserted. */
  readonly fresh: ReadonlyArray<ActionRow>
  readonly repeats: number
  /** One id with another time: the producer's error. */
  readonly conflicts: ReadonlyArray<ActionRow>
}

/**
 * Sorts rows into fresh ones, repeats and conflicts: against what is stored, against rows that are on their way, and
 * against each other, first come first kept. `suspects` are the rows that may repeat; the others are fresh and only
 * stand in the suspects' way.
 */
export const sortRepeats = (
  rows: ReadonlyArray<ActionRow>,
  isSuspect: (row: ActionRow) => boolean,
  stored: StoredRows,
  underWay: Iterable<Identity>,
): Sorted => {
  const suspects = rows.filter(isSuspect)
  if (suspects.length === 0) return { fresh: rows, repeats: 0, conflicts: [] }
  const asked = new Set(suspects.map((row) => idKey(row.tenant, row.event.id)))
  /** Times of the rows that hold an id already. */
  const held = new Map<string, Set<number>>()
  const hold = (key: string, time: number) => {
    const times = held.get(key)
    if (times === undefined) held.set(key, new Set([time]))
    else times.add(time)
  }
  for (const { tenant, id, time } of underWay) {
    const key = idKey(tenant, id)
    if (asked.has(key)) hold(key, time)
  }
  for (const [key, known] of stored) for (const { time } of known) hold(key, time)
  const fresh: Array<ActionRow> = []
  const conflicts: Array<ActionRow> = []
  let repeats = 0
  for (const row of rows) {
    const key = idKey(row.tenant, row.event.id)
    if (!asked.has(key)) {
      fresh.push(row)
      continue
    }
    const times = held.get(key)
    if (times?.has(row.time) === true) repeats++
    else if (times !== undefined && isSuspect(row)) conflicts.push(row)
    else {
      fresh.push(row)
      hold(key, row.time)
    }
  }
  return { fresh, repeats, conflicts }
}
