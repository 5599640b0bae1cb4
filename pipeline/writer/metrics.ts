import type { RefusalReason } from "#schemas/refusal.ts"

/** Why a batch was cut. */
export type FlushTrigger = "rows" | "bytes" | "time"

/** Why what was inserted had to be proved. */
export type DoubtCause =
  | "start"
  | "insert_failed"
  | "lookup_failed"
  | "dead_letter_failed"
  | "ledger_failed"
  | "store_restarted"
  | "nats_reconnected"

/** What a writer counts. Plain numbers, read by whoever renders them. */
export interface WriterMetrics {
  received: number
  stored: number
  repeats: number
  readonly deadLetters: Map<RefusalReason, number>
  readonly batches: Map<FlushTrigger, number>
  readonly doubts: Map<DoubtCause, number>
  insertSeconds: number
  inserts: number
  rowsRepaired: number
  rollupKeysRepaired: number
  messagesGone: number
  generations: number
  /** 1 while this writer owns the partition. */
  owner: number
  /** Sequence up to which everything is stored, dead-lettered or a repeat. */
  committed: number
  /** Undefined while unknown, which is not 0. */
  lagEvents: number | undefined
  /** Seconds between now and the receive time of what was committed last; 0 when nothing waits. */
  lagSeconds: number | undefined
}

export const makeWriterMetrics = (): WriterMetrics => ({
  received: 0,
  stored: 0,
  repeats: 0,
  deadLetters: new Map(),
  batches: new Map(),
  doubts: new Map(),
  insertSeconds: 0,
  inserts: 0,
  rowsRepaired: 0,
  rollupKeysRepaired: 0,
  messagesGone: 0,
  generations: 0,
  owner: 0,
  committed: 0,
  lagEvents: undefined,
  lagSeconds: undefined,
})

export const count = <Key>(counts: Map<Key, number>, key: Key, by = 1): void => {
  counts.set(key, (counts.get(key) ?? 0) + by)
}
