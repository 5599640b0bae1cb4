import { Effect } from "effect"
import type { ClickHouse } from "#clickhouse"
import { attemptNats, Nats } from "#nats/connection.ts"
import { addActionStreams, arrangeActionStreams, type TopologyOptions } from "#nats/action-streams.ts"
import type { TopologyError } from "#nats/ensure-stream.ts"
import { findActionStreams, recordedPartitions, recordPartitions } from "#nats/partitions.ts"
import { Writer, type WriterOptions } from "../writer/context.ts"
import { checkGround } from "../writer/guards.ts"
import { maintainAll, type MaintenanceError } from "../writer/maintenance.ts"
import { ownRecord, settle } from "../writer/settle.ts"
import type { Zones } from "../writer/zones.ts"

/**
 * Stores what the stream holds up to now, whoever's it is: all of it is looked up, so that what another stream brought already
 * counts once.
 */
const drain = Effect.fn("drain")(function* () {
  const { ledger, options } = yield* Writer
  const { manager } = yield* Nats
  yield* checkGround()
  const { state } = yield* attemptNats("look at the stream", () => manager.streams.info(options.stream))
  // What is left half done of another stream's tenant only whoever owns all streams can end: a change, begun anew.
  yield* ledger.change((record) => ({
    ...record,
    partitions: 0,
    horizon: Math.max(record.horizon, state.last_seq),
  }))
  yield* settle()
})

/** From now on the stream is owned at another number of partitions alone, and everything in it is looked up for a while. */
const mark = Effect.fnUntraced(function* (partitions: number) {
  const { ledger, options } = yield* Writer
  const before = yield* ownRecord
  const until =
    Date.now() +
    Math.max(options.duplicateWindow, before.duplicate_window) +
    Math.max(options.maxClockAhead, before.max_clock_ahead)
  yield* ledger.change((record) => ({
    ...record,
    partitions,
    look_up_all_until: Math.max(record.look_up_all_until, until),
  }))
})

export interface ChangeOptions {
  readonly partitions: number
  readonly topology: TopologyOptions
  /** How any stream is written. */
  readonly writing: Omit<WriterOptions, "stream" | "partitions">
  readonly zones: Zones
}

/**
 * Makes it so many partitions, whatever there was: of any number, or a change that was broken off. One process owns all streams,
 * those that are left behind too; tells the broker which takes what; stores what they hold until then, as it stands; and has
 * everything looked up until the broker's memory, which is the streams', is whole again. Broken off anywhere it can begin
 * anew: until the number is written down the old one is in force, and what lies in a stream that is not its tenant's is sent on.
 */
export const changePartitions = Effect.fn("changePartitions")(function* ({
  partitions,
  topology,
  writing,
  zones,
}: ChangeOptions): Effect.fn.Return<void, MaintenanceError | TopologyError, ClickHouse | Nats> {
  yield* addActionStreams(topology, partitions)
  const streams = yield* findActionStreams()
  const options = streams.map((stream) => ({
    ...writing,
    stream,
    partitions: undefined,
    unsettled: true,
    why: `a change to ${partitions} partitions`,
  }))
  yield* maintainAll(options, zones, (owners) =>
    Effect.gen(function* () {
      const each = <E, R>(work: Effect.Effect<void, E, R | Writer>) =>
        Effect.forEach(
          owners,
          (owner) =>
            Effect.annotateLogs(Effect.provideService(work, Writer, owner), { stream: owner.options.stream }),
          { discard: true },
        )
      // A process that hangs from here on and wakes after somebody else's change does not write its own number over that.
      const { revision } = yield* recordedPartitions
      yield* arrangeActionStreams(partitions)
      yield* each(drain())
      yield* each(mark(partitions))
      yield* recordPartitions(partitions, revision)
    }),
  )
  yield* Effect.logInfo("changed the number of partitions").pipe(Effect.annotateLogs({ partitions, streams }))
})
