import { STREAMS } from "#schemas/names.ts"
import { REFUSAL_REASONS, type RefusalReason } from "#schemas/refusal.ts"

/** Why a batch was cut. */
export type FlushTrigger = "rows" | "bytes" | "time"

/** Why what was inserted had to be proved. */
const DOUBT_CAUSES = [
  "start",
  "insert_failed",
  "lookup_failed",
  "dead_letter_failed",
  "ledger_failed",
  "store_restarted",
  "nats_reconnected",
  "leader_changed",
  "stream_changed",
  "barrier",
  "zone_changed",
  "rebalanced",
  "forward_failed",
] as const
export type DoubtCause = (typeof DOUBT_CAUSES)[number]

/** How often values were at most as large as each bound; the last count is of all. */
export interface Histogram {
  readonly bounds: ReadonlyArray<number>
  readonly counts: Array<number>
  sum: number
}

const histogram = (bounds: ReadonlyArray<number>): Histogram => ({
  bounds,
  counts: Array.from({ length: bounds.length + 1 }, () => 0),
  sum: 0,
})

export const observe = (histogram: Histogram, value: number): void => {
  histogram.sum += value
  for (let n = histogram.bounds.length - 1; n >= 0 && value <= (histogram.bounds[n] ?? 0); n--)
    histogram.counts[n] = (histogram.counts[n] ?? 0) + 1
  histogram.counts[histogram.bounds.length] = (histogram.counts[histogram.bounds.length] ?? 0) + 1
}

/** Each from 0 on: Prometheus sees no increase in what is there for the first time, however large it is. */
const zeros = <Key>(keys: ReadonlyArray<Key>): Map<Key, number> => new Map(keys.map((key) => [key, 0]))

/** What a writer counts. Plain numbers, read by whoever renders them. */
export interface WriterMetrics {
  received: number
  stored: number
  repeats: number
  /** Messages of people who were erased. */
  erased: number
  /** Events of tenants of other streams, sent on to these. */
  forwarded: number
  readonly deadLetters: Map<RefusalReason, number>
  readonly batches: Map<FlushTrigger, number>
  readonly doubts: Map<DoubtCause, number>
  /** Rows of each batch, and seconds of each insert. */
  readonly batchRows: Histogram
  readonly insertSeconds: Histogram
  rowsRepaired: number
  rollupKeysRepaired: number
  messagesGone: number
  generations: number
  /** 1 while this writer owns the partition. */
  owner: number
  /** Sequence up to which everything is stored, dead-lettered or a repeat. */
  committed: number | undefined
  /** Undefined while unknown, which is not 0. */
  lagEvents: number | undefined
  /** Age of the oldest message that waits; 0 when none does. */
  lagSeconds: number | undefined
  /** Until the stream drops the oldest message that is not stored; undefined when none waits, or while it is unknown. */
  secondsToLoss: number | undefined
  /** The stream's age limit in seconds; undefined when it has none, or while it is unknown. */
  maxAge: number | undefined
}

export const makeWriterMetrics = (): WriterMetrics => ({
  received: 0,
  stored: 0,
  repeats: 0,
  erased: 0,
  forwarded: 0,
  deadLetters: zeros(REFUSAL_REASONS),
  batches: new Map(),
  doubts: zeros(DOUBT_CAUSES),
  batchRows: histogram([1, 10, 100, 1000, 5000, 10_000, 20_000, 50_000]),
  insertSeconds: histogram([0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]),
  rowsRepaired: 0,
  rollupKeysRepaired: 0,
  messagesGone: 0,
  generations: 0,
  owner: 0,
  committed: undefined,
  lagEvents: undefined,
  lagSeconds: undefined,
  secondsToLoss: undefined,
  maxAge: undefined,
})

/** What the writers of a process count, and those who refuse messages of other streams. */
export interface ProcessMetrics {
  readonly streams: Map<string, WriterMetrics>
  readonly otherLetters: ReadonlyMap<string, Map<RefusalReason, number>>
  /** How many dead letters are open, and when the oldest was refused; undefined while unknown, and where another tells. */
  openLetters: { readonly count: number; readonly oldest: number | undefined } | undefined
  /** When both engines last answered, milliseconds since 1970. */
  heardAt: number
}

export const makeProcessMetrics = (): ProcessMetrics => ({
  streams: new Map(),
  otherLetters: new Map([STREAMS.directory, STREAMS.audit].map((stream) => [stream, zeros(REFUSAL_REASONS)])),
  openLetters: undefined,
  heardAt: 0,
})

/** A stream's, made when they are not there yet. */
export const metricsOf = ({ streams }: ProcessMetrics, stream: string): WriterMetrics => {
  const known = streams.get(stream) ?? makeWriterMetrics()
  streams.set(stream, known)
  return known
}

export const count = <Key>(counts: Map<Key, number>, key: Key, by = 1): void => {
  counts.set(key, (counts.get(key) ?? 0) + by)
}
