import { Context } from "effect"
import type { Publisher } from "#nats/publisher.ts"
import type { Tombstones } from "../erase/tombstones.ts"
import type { Judge } from "./action-row.ts"
import type { Led } from "./leader.ts"
import type { Ledger } from "./ledger.ts"
import type { WriterMetrics } from "./metrics.ts"
import type { Turn } from "./turn.ts"
import type { Zones } from "./zones.ts"

/** Durations in milliseconds. */
export interface WriterOptions {
  readonly stream: string
  /**
   * The number of partitions: a tenant of another stream's is sent on to that one. Undefined only while the number changes and
   * every stream is in one hand: then each stores what it holds.
   */
  readonly partitions: number | undefined
  readonly duplicateWindow: number
  readonly maxClockAhead: number
  /** How long the lease lasts; a writer that hangs is replaced after it. */
  readonly lease: number
  readonly batch: { readonly rows: number; readonly bytes: number; readonly interval: number }
}

/** What the parts of one writer share. */
export class Writer extends Context.Service<
  Writer,
  {
    readonly options: WriterOptions
    /** Names this process in leases and query ids. */
    readonly owner: string
    readonly ledger: Ledger
    readonly judge: Judge
    /** The tenants' zones, by which rows are stamped; which state of them was acted upon, and when that is to be done again. */
    readonly zones: Zones
    readonly zonesSeen: { version: number; again: number }
    /** Who was erased; the judge asks it. */
    readonly tombstones: Tombstones
    /** Sends dead letters, and events that lie in the wrong stream. */
    readonly publisher: Publisher
    readonly metrics: WriterMetrics
    /** By the store's clock: until then a statement may begin whose answer never came. */
    readonly unanswered: { until: number }
    readonly led: Led
    /** Whether this stream's owner writes the tenant's rows. */
    readonly isOwn: (tenant: string) => boolean
    /** Whether this process is to have the partition, which others may want. */
    readonly turn: Turn
  }
>()("tidemark/pipeline/Writer") {}
