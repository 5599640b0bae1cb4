import { Schema } from "effect"

/** The partition is wanted for maintenance: its owner gives it back, and no writer takes it until then. */
export const Barrier = Schema.Struct({
  /** Who wants it, or has it: an owner like any other. */
  holder: Schema.String,
  /** What for, in words. */
  why: Schema.String,
  /** By the clock of ClickHouse; one that is over binds nobody. */
  until: Schema.Finite,
})
export type Barrier = typeof Barrier.Type

/** Tenants and UTC days, `YYYY-MM-DD`, first and last included. */
export const Unproved = Schema.Struct({
  tenants: Schema.Array(Schema.String),
  from: Schema.String,
  to: Schema.String,
  /**
   * A table that is about to be exchanged with a rollup. A statement that does so has no deadline, so whoever owns the partition
   * next drops the table first: a statement that comes then fails, and after one that came before it is the old rollup that goes.
   */
  shadow: Schema.optionalKey(Schema.String),
})
export type Unproved = typeof Unproved.Type

/**
 * The writer's ledger: one record per stream partition, in the bucket `ledger` under the stream's name, changed
 * only by compare-and-swap on its revision. Instants are milliseconds since 1970.
 */
export const LedgerRecord = Schema.Struct({
  /** Which life of the stream the sequences belong to; goes up when the stream went back in time. */
  generation: Schema.Int,
  stream: Schema.String,
  /** When the broker says the stream was created. */
  created: Schema.String,
  /** Every message up to here is stored, dead-lettered or known as a repeat. */
  committed: Schema.Int,
  /** Message id and receive time of the message at `committed`: a stream that went back has another one there. */
  committed_id: Schema.String,
  committed_at: Schema.Finite,
  /**
   * Every message up to here was known as one of these once, where `committed` went back since: what is refused of them
   * may have its dead letter, and what has left the stream was no loss, unless the store lacks what stands beside it.
   */
  judged: Schema.optionalKey(Schema.Int),
  /** Nothing beyond it was ever attempted. */
  horizon: Schema.Int,
  /** Messages received before this instant are all looked up for repeats, fresh ones too. */
  look_up_all_until: Schema.Finite,
  /** The stream's end when its leader was last seen, where a change of leader may make the broker forget ids. */
  led_through: Schema.optionalKey(Schema.Int),
  /** The broker's duplicate window and the clock tolerance with which the record was written. */
  duplicate_window: Schema.Finite,
  max_clock_ahead: Schema.Finite,
  /** Who may write; the epoch goes up with every owner. */
  owner: Schema.String,
  epoch: Schema.Int,
  /** The number of partitions at which the stream may be owned; absent: 1, 0 while the number changes. */
  partitions: Schema.optionalKey(Schema.Int),
  /** By the clock of ClickHouse: no insert of this owner begins after it. */
  lease_until: Schema.Finite,
  barrier: Schema.optionalKey(Barrier),
  /** Rows up to `committed` are being changed here; whoever owns the partition next compares these rollups with raw. */
  unproved: Schema.optionalKey(Unproved),
})
export type LedgerRecord = typeof LedgerRecord.Type

/** Beside the records of the streams: how many partitions there are. Changed when everything was drained. */
export const PARTITIONS_KEY = "partitions"
export const PartitionsRecord = Schema.Struct({
  partitions: Schema.Int,
  /** When it became so, ISO 8601. */
  since: Schema.String,
})
export type PartitionsRecord = typeof PartitionsRecord.Type

/** A writer process that lives, in the bucket `writers` under its name. */
export const Presence = Schema.Struct({
  writer: Schema.String,
  /** The number of partitions that it was started with. */
  partitions: Schema.Int,
  /** By the clock of ClickHouse; one that is over was left by a process that died or hangs. */
  until: Schema.Finite,
})
export type Presence = typeof Presence.Type
