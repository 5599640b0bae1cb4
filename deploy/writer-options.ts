import { Effect } from "effect"
import { actionStreams } from "#schemas/partitions.ts"
import type { TopologyOptions } from "#nats/action-streams.ts"
import type { Nats, NatsError } from "#nats/connection.ts"
import { partitionsInForce } from "#nats/partitions.ts"
import { findLeftBehind } from "../pipeline/partitions/settled.ts"
import type { WriterOptions } from "../pipeline/writer/context.ts"
import type { Settings } from "./settings.ts"

/** How any stream of actions is written; maintenance that takes a writer's place must do as it does. */
export const writingOf = (settings: Settings): Omit<WriterOptions, "stream" | "partitions"> => ({
  duplicateWindow: settings.duplicateWindow,
  maxClockAhead: settings.maxClockAhead,
  lease: settings.writerLease,
  batch: { rows: settings.batchRows, bytes: settings.batchBytes, interval: settings.batchInterval },
})

export const topologyOptionsOf = (settings: Settings): TopologyOptions => ({
  duplicateWindow: settings.duplicateWindow,
  actionsMaxAge: settings.streamRetention,
  replicas: settings.natsReplicas,
  partitions: settings.partitions,
})

/** The streams of actions, whatever number of partitions this process was started with. */
export interface ActionWriters {
  readonly partitions: number
  /** One a partition, by their names. */
  readonly current: ReadonlyArray<WriterOptions>
  /** Those of other numbers of partitions that still hold messages. */
  readonly leftBehind: ReadonlyArray<WriterOptions>
}

/** How each of them is written, as it is now. */
export const actionWriters = Effect.fn("actionWriters")(function* (
  settings: Settings,
): Effect.fn.Return<ActionWriters, NatsError, Nats> {
  const partitions = yield* partitionsInForce
  const options = (stream: string): WriterOptions => ({ ...writingOf(settings), stream, partitions })
  return {
    partitions,
    current: actionStreams(partitions).toSorted().map(options),
    leftBehind: (yield* findLeftBehind(partitions)).map(options),
  }
})
