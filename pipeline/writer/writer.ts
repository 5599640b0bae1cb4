import { randomUUID } from "node:crypto"
import { Deferred, Effect, Ref, Schedule } from "effect"
import type { ClickHouse, ClickHouseError } from "#clickhouse"
import { attemptNats, Nats, type NatsError } from "#nats/connection.ts"
import { Publisher } from "#nats/publisher.ts"
import { Judge } from "./action-row.ts"
import { checkLedgerServer, claim, type UnsafeLedger } from "./claim.ts"
import { Writer, type WriterOptions } from "./context.ts"
import { flow } from "./flow.ts"
import { checkGround } from "./guards.ts"
import { type LeaseLost, openLedger } from "./ledger.ts"
import { count, type DoubtCause, type WriterMetrics } from "./metrics.ts"
import { settle } from "./settle.ts"
import { isRestart, readStoreState, type StoreState } from "./store-clock.ts"
import type { Zones } from "./zones.ts"

/** Actions are accepted for 25 months; the raw table keeps them two months longer. */
export const MAX_ACTION_AGE = 761 * 86_400_000

/** For ClickHouse or NATS that is away: for ever, at most 5 s apart. */
const backoff = Schedule.min([Schedule.exponential("200 millis"), Schedule.spaced("5 seconds")]).pipe(
  Schedule.jittered,
)

type Failure = ClickHouseError | NatsError | LeaseLost

const signal = (doubt: Ref.Ref<Deferred.Deferred<DoubtCause>>, cause: DoubtCause) =>
  Effect.flatMap(Ref.get(doubt), (current) => Deferred.succeed(current, cause))

/** When the stream received a message; undefined when it does not hold it. */
const receivedAt = (stream: string, seq: number) =>
  Effect.flatMap(Nats, ({ manager }) =>
    attemptNats("look at the oldest waiting message", () => manager.streams.getMessage(stream, { seq })),
  ).pipe(
    Effect.map((message) => message?.time.getTime()),
    Effect.catch(() => Effect.succeed(undefined)),
  )

const forgetLag = (metrics: WriterMetrics): void => {
  metrics.lagEvents = undefined
  metrics.lagSeconds = undefined
}

/** Renews the lease for as long as the partition is ours, and watches for a store or a stream that is another one. */
const keepLease = Effect.fnUntraced(function* (doubt: Ref.Ref<Deferred.Deferred<DoubtCause>>) {
  const { ledger, options, metrics } = yield* Writer
  const { manager } = yield* Nats
  let store: StoreState | undefined
  let offset = 0
  const look = Effect.gen(function* () {
    const state = yield* readStoreState
    offset = state.now - Date.now()
    if (store !== undefined && isRestart(store, state)) yield* signal(doubt, "store_restarted")
    store = state
  })
  const lag = Effect.gen(function* () {
    const { created, state } = yield* attemptNats("look at the stream", () =>
      manager.streams.info(options.stream),
    )
    const record = ledger.current()
    // It may be made anew without a reconnect.
    if (record !== undefined && (created !== record.created || state.last_seq < record.committed))
      yield* signal(doubt, "stream_changed")
    const committed = Math.max(metrics.committed ?? 0, record?.committed ?? 0)
    const waiting = Math.max(0, state.last_seq - committed)
    metrics.committed = committed
    metrics.lagEvents = waiting
    const oldest = waiting === 0 ? undefined : yield* receivedAt(options.stream, committed + 1)
    metrics.lagSeconds =
      waiting === 0 ? 0 : oldest === undefined ? undefined : Math.max(0, (Date.now() - oldest) / 1000)
    if (store !== undefined && Date.now() + offset - store.now < options.lease) metrics.heardAt = Date.now()
  })
  yield* Effect.forever(
    Effect.gen(function* () {
      // What cannot be reached now is met by whoever needs it; the lease runs out by itself.
      yield* look.pipe(Effect.timeout(options.lease / 3), Effect.ignore)
      yield* ledger
        .change((record) => ({ ...record, lease_until: Date.now() + offset + options.lease }))
        .pipe(Effect.catchTag("NatsError", (error) => Effect.logWarning(error.message)))
      yield* lag.pipe(Effect.catch(() => Effect.sync(() => forgetLag(metrics))))
      yield* Effect.sleep(options.lease / 3)
    }),
  )
})

/** A reconnect may have led to a server whose stream is another one. */
const watchConnection = Effect.fnUntraced(function* (doubt: Ref.Ref<Deferred.Deferred<DoubtCause>>) {
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

/** Settles what is in doubt, then runs until the next doubt; for ever. */
const work = Effect.fnUntraced(function* (doubt: Ref.Ref<Deferred.Deferred<DoubtCause>>) {
  const { metrics } = yield* Writer
  let cause: DoubtCause = "start"
  const round = Effect.gen(function* () {
    count(metrics.doubts, cause)
    const fresh = yield* Deferred.make<DoubtCause>()
    yield* Ref.set(doubt, fresh)
    yield* checkGround()
    yield* settle()
    cause = yield* flow(fresh)
  })
  return yield* round.pipe(
    Effect.tapError((error: Failure) => Effect.logWarning(error.message)),
    Effect.retry({ schedule: backoff, while: (error: Failure) => error._tag !== "LeaseLost" }),
    Effect.forever,
  )
})

/** Gives the partition back, so that the next owner need not wait. Only when nothing of ours may still run. */
const release = Effect.gen(function* () {
  const { ledger, metrics } = yield* Writer
  metrics.owner = 0
  metrics.committed = undefined
  forgetLag(metrics)
  const record = ledger.current()
  if (record === undefined || record.horizon > record.committed) return
  yield* ledger.change((mine) => ({ ...mine, lease_until: 0 }))
}).pipe(Effect.catch((error) => Effect.logInfo(`the lease runs out by itself: ${error.message}`)))

/** From claiming the partition to losing it. */
const tenure = Effect.gen(function* () {
  const { ledger, metrics } = yield* Writer
  yield* claim.pipe(
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
): Effect.fn.Return<never, UnsafeLedger | NatsError, ClickHouse | Nats> {
  const { connection } = yield* Nats
  yield* checkLedgerServer
  // Names this process in leases and query ids.
  const owner = randomUUID().slice(0, 8)
  const ledger = yield* openLedger(options.stream, owner)
  const deadLetters = Publisher.open(connection)
  const limits = { maxClockAhead: options.maxClockAhead, maxAge: MAX_ACTION_AGE }
  return yield* tenure.pipe(
    Effect.catchTag("LeaseLost", (error) => Effect.logWarning(error.message)),
    Effect.forever,
    Effect.provideService(Writer, {
      options,
      owner,
      ledger,
      judge: new Judge(limits, zones),
      deadLetters,
      metrics,
      buried: { through: 0 },
    }),
    Effect.annotateLogs({ service: "writer", stream: options.stream }),
  )
})
