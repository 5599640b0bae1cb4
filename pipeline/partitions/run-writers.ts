import { randomUUID } from "node:crypto"
import { Effect, Schedule } from "effect"
import type { ClickHouse, ClickHouseError } from "#clickhouse"
import { actionStreams } from "#schemas/partitions.ts"
import type { TopologyOptions } from "#nats/action-streams.ts"
import type { Nats, NatsError } from "#nats/connection.ts"
import type { TopologyError } from "#nats/ensure-stream.ts"
import { readArrangement } from "#nats/partitions.ts"
import { OtherPartitions, type UnsafeLedger } from "../writer/claim.ts"
import type { WriterOptions } from "../writer/context.ts"
import { metricsOf, type ProcessMetrics } from "../writer/metrics.ts"
import { readStoreState } from "../writer/store-clock.ts"
import { runWriter } from "../writer/writer.ts"
import type { Zones } from "../writer/zones.ts"
import { makeBalance } from "./balance.ts"
import { changePartitions } from "./change.ts"
import { announce, readPresences, takeLeave } from "./presence.ts"
import { findLeftBehind, isSettledAt } from "./settled.ts"

export interface WritersOptions {
  readonly partitions: number
  readonly topology: TopologyOptions
  /** How any stream is written. */
  readonly writing: Omit<WriterOptions, "stream" | "partitions">
}

type Failure = ClickHouseError | NatsError | UnsafeLedger | OtherPartitions | TopologyError

/** Milliseconds between two looks at who lives while the number is not settled. */
const LOOK = 1000
/** For so many looks another process is taken for alive, however short the lease. */
const LOOKS = 4

/** Writers that were started with another number of partitions and live. */
const othersOf = Effect.fnUntraced(function* (me: string, { partitions, writing }: WritersOptions) {
  const { now } = yield* readStoreState
  yield* announce({ writer: me, partitions, until: now + Math.max(writing.lease, LOOKS * LOOK) })
  return (yield* readPresences(now)).filter((presence) => presence.partitions !== partitions)
})

/**
 * Sees to it that there are as many partitions as this process was started with. It waits for writers that were started with
 * another number, which is an operator's affair: stop them, or this one. Only what was begun it ends without waiting, since those
 * wait for the end. One that has written before and finds another number in force was left over, and does not wait to change it.
 */
const settleAt = Effect.fn("settleAt")(function* (
  me: string,
  options: WritersOptions,
  zones: Zones,
  metrics: ProcessMetrics,
  hasWritten: boolean,
) {
  const { partitions } = options
  while (!(yield* isSettledAt(partitions))) {
    const others = yield* othersOf(me, options)
    const { partitions: inForce = partitions, changingTo, isIdle } = yield* readArrangement
    metrics.heardAt = Date.now()
    if (hasWritten && inForce !== partitions && changingTo !== partitions)
      return yield* new OtherPartitions({ partitions: inForce, mine: partitions })
    const mayEnd = changingTo === partitions || (isIdle && inForce === partitions)
    if (others.length > 0 && !mayEnd) {
      yield* Effect.logWarning("waits for writers of another number of partitions to be stopped").pipe(
        Effect.annotateLogs({
          partitions,
          in_force: inForce,
          changing_to: changingTo,
          writers: others.map(({ writer, partitions: theirs }) => `${writer} (${theirs})`),
        }),
      )
      yield* Effect.sleep(LOOK)
      continue
    }
    yield* Effect.logInfo("changes the number of partitions").pipe(Effect.annotateLogs({ partitions }))
    yield* changePartitions({ ...options, zones }).pipe(
      // Another process of the same number is about it, or maintenance.
      Effect.catchTag(["BarrierTaken", "LeaseLost"], (error) =>
        Effect.logInfo(error.message).pipe(Effect.andThen(Effect.sleep(LOOK))),
      ),
      Effect.raceFirst(
        othersOf(me, options).pipe(
          Effect.andThen(Effect.sync(() => (metrics.heardAt = Date.now()))),
          Effect.catch((error: ClickHouseError | NatsError) => Effect.logWarning(error.message)),
          Effect.andThen(Effect.sleep(LOOK)),
          Effect.forever,
        ),
      ),
    )
  }
})

/**
 * Writes this process's share of the streams of actions into the store, until it is interrupted; an interruption drains what is
 * under way. Fails only where no retry could help.
 */
export const runWriters = Effect.fn("runWriters")(function* (
  options: WritersOptions,
  zones: Zones,
  metrics: ProcessMetrics,
): Effect.fn.Return<never, Failure, ClickHouse | Nats> {
  const { partitions, writing } = options
  const owner = randomUUID().slice(0, 8)
  let hasWritten = false
  const work = Effect.gen(function* () {
    yield* settleAt(owner, options, zones, metrics, hasWritten)
    hasWritten = true
    const current = actionStreams(partitions)
    const left = yield* findLeftBehind(partitions)
    // Of a stream that was left behind and is empty now nobody is missed as its owner.
    for (const stream of metrics.streams.keys())
      if (![...current, ...left].includes(stream)) metrics.streams.delete(stream)
    const balance = makeBalance({
      writer: owner,
      partitions,
      lease: writing.lease,
      groups: [current, left],
      onHeard: (now) => (metrics.heardAt = now),
    })
    const writers = [...current, ...left].map((stream) =>
      runWriter({ ...writing, stream, partitions }, zones, metricsOf(metrics, stream), {
        owner,
        turn: balance.turnOf(stream),
      }),
    )
    return yield* Effect.raceAllFirst([balance.keep, ...writers])
  })
  return yield* work.pipe(
    // Streams or a ledger of another number, while this one is in force or to be: a change is under way or was broken off.
    Effect.catchTag("OtherPartitions", (error) =>
      Effect.flatMap(readArrangement, ({ partitions: inForce, changingTo }) =>
        inForce === partitions || changingTo === partitions
          ? Effect.logWarning("the number of partitions is being changed").pipe(
              Effect.annotateLogs({ partitions, in_force: inForce, changing_to: changingTo }),
            )
          : Effect.fail(error),
      ),
    ),
    Effect.tapError((error) => Effect.logWarning(error.message)),
    Effect.retry({
      schedule: Schedule.spaced("1 second"),
      while: (error) => error._tag === "NatsError" || error._tag === "ClickHouseError",
    }),
    Effect.forever,
    Effect.ensuring(takeLeave(owner).pipe(Effect.timeout("1 second"), Effect.ignore)),
    Effect.annotateLogs({ service: "writer", writer: owner }),
  )
})
