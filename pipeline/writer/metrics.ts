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
  | "leader_changed"
  | "stream_changed"
  | "barrier"

/** What a writer counts. Plain numbers, read by whoever renders them. */
export interface WriterMetrics {
  received: number
  stored: number
  repeats: number
  /** Messages of people who were erased. */
  erased: number
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
  committed: number | undefined
  /** Undefined while unknown, which is not 0. */
  lagEvents: number | undefined
  /** Age of the oldest message that waits; 0 when none does. */
  lagSeconds: number | undefined
  /** When both engines last answered, milliseconds since 1970. */
  heardAt: number
}

export const makeWriterMetrics = (): WriterMetrics => ({
  received: 0,
  stored: 0,
  repeats: 0,
  erased: 0,
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
  committed: undefined,
  lagEvents: undefined,
  lagSeconds: undefined,
  heardAt: 0,
})

export const count = <Key>(counts: Map<Key, number>, key: Key, by = 1): void => {
  counts.set(key, (counts.get(key) ?? 0) + by)
}
