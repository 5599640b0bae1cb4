import { Deferred, Effect, Ref, Schedule } from "effect"
import type { ClickHouse, ClickHouseError } from "#clickhouse"
import { Nats, type NatsError } from "#nats/connection.ts"
import { learnTombstones, reapplyErasures } from "../erase/reapply.ts"
import { claim, type OtherPartitions, type UnsafeLedger } from "./claim.ts"
import { Writer, type WriterOptions } from "./context.ts"
import { flow } from "./flow.ts"
import { checkGround } from "./guards.ts"
import { watchLeader } from "./leader.ts"
import { type Doubt, forgetLag, isHandOver, keepLease, signal, watchBarrier, watchTurn } from "./lease.ts"
import type { LeaseLost } from "./ledger.ts"
import { count, type DoubtCause, type WriterMetrics } from "./metrics.ts"
import { openWriter, type Place } from "./open-writer.ts"
import { rezoneTenants, watchZones } from "./rezone.ts"
import { settle } from "./settle.ts"
import { isUnanswered, outlastUnanswered, rememberUnanswered } from "./unanswered.ts"
import type { Zones } from "./zones.ts"

/** For ClickHouse or NATS that is away: for ever, at most 5 s apart. */
const backoff = Schedule.min([Schedule.exponential("200 millis"), Schedule.spaced("5 seconds")]).pipe(
  Schedule.jittered,
)

type Failure = ClickHouseError | NatsError | LeaseLost

/** A reconnect may have led to a server whose stream is another one. */
const watchConnection = Effect.fnUntraced(function* (doubt: Doubt) {
  const { connection } = yield* Nats
  yield* Effect.callback<never>((resume) => {
    const status = connection.status()
    void (async () => {
      for await (const event of status)
        if (event.type === "reconnect") await Effect.runPromise(signal(doubt, "nats_reconnected"))
      resume(Effect.never)
    })()
    return Effect.sync(() => {
      const iterator = status as unknown as { stop?: () => void }
      iterator.stop?.()
    })
  })
})

/** Settles what is in doubt, then runs until the next doubt, until somebody wants the partition. */
const work = Effect.fnUntraced(function* (doubt: Doubt) {
  const { metrics } = yield* Writer
  let cause: DoubtCause = "start"
  const round = Effect.gen(function* () {
    count(metrics.doubts, cause)
    const fresh = yield* Deferred.make<DoubtCause>()
    yield* Ref.set(doubt, fresh)
    yield* outlastUnanswered
    yield* checkGround().pipe(
      Effect.andThen(settle()),
      Effect.andThen(reapplyErasures()),
      Effect.andThen(rezoneTenants()),
      Effect.onInterrupt(() => rememberUnanswered),
    )
    cause = yield* flow(fresh)
    return cause
  })
  yield* round.pipe(
    Effect.tapError((error: Failure) => Effect.logWarning(error.message)),
    Effect.tapError((error) => (isUnanswered(error) ? rememberUnanswered : Effect.void)),
    Effect.retry({ schedule: backoff, while: (error: Failure) => error._tag !== "LeaseLost" }),
    Effect.repeat({ until: isHandOver }),
  )
  yield* Effect.logInfo("gives the partition back").pipe(Effect.annotateLogs({ cause }))
})

/** Gives the partition back, so that the next owner need not wait. Only when nothing of ours may still run. */
const release = Effect.gen(function* () {
  const { ledger, metrics, unanswered } = yield* Writer
  metrics.owner = 0
  metrics.committed = undefined
  forgetLag(metrics)
  const record = ledger.current()
  if (record === undefined || record.horizon > record.committed || record.unproved !== undefined) return
  if (unanswered.until > 0) return
  yield* ledger.change((mine) => ({ ...mine, lease_until: 0 })).pipe(Effect.timeout("2 seconds"))
}).pipe(Effect.catch((error) => Effect.logInfo(`the lease runs out by itself: ${error.message}`)))

/** From claiming the partition to losing it. */
const tenure = Effect.gen(function* () {
  const { ledger, metrics } = yield* Writer
  yield* claim.pipe(
    Effect.tapError((error) => Effect.logWarning(error.message)),
    Effect.retry({ schedule: backoff, while: (error) => error._tag !== "OtherPartitions" }),
  )
  yield* learnTombstones.pipe(
    Effect.tapError((error) => Effect.logWarning(error.message)),
    Effect.retry(backoff),
  )
  metrics.owner = 1
  const record = ledger.current()
  metrics.committed = record?.committed ?? 0
  yield* Effect.logInfo("owns the partition").pipe(
    Effect.annotateLogs({
      epoch: record?.epoch,
      generation: record?.generation,
      committed: record?.committed,
    }),
  )
  const doubt = yield* Ref.make(yield* Deferred.make<DoubtCause>())
  yield* work(doubt).pipe(
    Effect.raceFirst(keepLease(doubt)),
    Effect.raceFirst(watchConnection(doubt)),
    Effect.raceFirst(watchLeader(doubt)),
    Effect.raceFirst(watchBarrier(doubt)),
    Effect.raceFirst(watchTurn(doubt)),
    Effect.raceFirst(watchZones(doubt)),
    Effect.ensuring(release),
  )
}).pipe(
  // The schedules above never end, so these never arrive here.
  Effect.catchTag(["ClickHouseError", "NatsError"], (error) => Effect.die(error)),
)

/**
 * Writes one stream into the store, exactly once, until it is interrupted; an interruption drains what is under way.
 * Fails only where no retry could help.
 */
export const runWriter = Effect.fn("runWriter")(function* (
  options: WriterOptions,
  zones: Zones,
  metrics: WriterMetrics,
  place?: Place,
): Effect.fn.Return<never, UnsafeLedger | OtherPartitions | NatsError, ClickHouse | Nats> {
  const writer = yield* openWriter(options, zones, metrics, place)
  return yield* tenure.pipe(
    Effect.catchTag("LeaseLost", (error) => Effect.logWarning(error.message)),
    Effect.forever,
    Effect.provideService(Writer, writer),
    // A writer of a process may be begun anew. What is on its way is not waited for.
    Effect.ensuring(Effect.sync(() => void writer.publisher.close())),
    Effect.annotateLogs({ service: "writer", stream: options.stream }),
  )
})
