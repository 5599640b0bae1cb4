import { Deferred, Effect, Ref } from "effect"
import type { LedgerRecord } from "#schemas/ledger.ts"
import { attemptNats, Nats } from "#nats/connection.ts"
import { nextMessage } from "#nats/next-message.ts"
import { Writer } from "./context.ts"
import type { DoubtCause, WriterMetrics } from "./metrics.ts"
import { isRestart, readStoreState, type StoreState } from "./store-clock.ts"

/** The lease until another instant, and with it the barrier of an owner that holds one. */
const renewed = (record: LedgerRecord, until: number, ledThrough: number | undefined): LedgerRecord => ({
  ...record,
  ...(ledThrough === undefined ? {} : { led_through: Math.max(record.led_through ?? 0, ledThrough) }),
  lease_until: until,
  ...(record.barrier?.holder === record.owner ? { barrier: { ...record.barrier, until } } : {}),
})

/** Where whoever runs looks for the next doubt. */
export type Doubt = Ref.Ref<Deferred.Deferred<DoubtCause>>

/** Whether a cause says that somebody else is to have the partition, and nothing against what was stored. */
export const isHandOver = (cause: DoubtCause): boolean => cause === "barrier" || cause === "rebalanced"

export const signal = (doubt: Doubt, cause: DoubtCause) =>
  Effect.flatMap(Ref.get(doubt), (current) => Deferred.succeed(current, cause))

/**
 * When the stream received the first message that it holds from `seq` on. Not that of `seq` itself: it may be dropped
 * already, and then what comes after it is dropped next.
 */
export const receivedAt = (stream: string, seq: number) =>
  Effect.flatMap(Nats, ({ manager }) =>
    attemptNats("look at the oldest waiting message", () => nextMessage(manager, stream, seq)),
  ).pipe(
    Effect.map((message) => message?.time.getTime()),
    // Unknown for this beat; the next one asks again, and a broker that is away is told of elsewhere.
    Effect.catch(() => Effect.succeed(undefined)),
  )

export const forgetLag = (metrics: WriterMetrics): void => {
  metrics.lagEvents = undefined
  metrics.lagSeconds = undefined
  metrics.secondsToLoss = undefined
  metrics.maxAge = undefined
}

/** What waits for longer than this share of the stream's age limit is told of. */
const WARN_FROM = 0.5

/** The stream drops what is older than its limit, stored or not. `oldest`: when what waits was received. Milliseconds. */
const warnOfLoss = Effect.fnUntraced(function* (
  metrics: WriterMetrics,
  oldest: number | undefined,
  maxAge: number,
) {
  metrics.maxAge = maxAge === 0 ? undefined : maxAge / 1000
  metrics.secondsToLoss =
    oldest === undefined || maxAge === 0 ? undefined : Math.max(0, (oldest + maxAge - Date.now()) / 1000)
  if (metrics.secondsToLoss === undefined || metrics.secondsToLoss * 1000 > maxAge * (1 - WARN_FROM)) return
  yield* Effect.logWarning("the stream will drop messages that are not stored").pipe(
    Effect.annotateLogs({ seconds_to_loss: Math.round(metrics.secondsToLoss) }),
  )
})

/** Renews the lease for as long as the partition is ours, and watches for a store or a stream that is another one. */
export const keepLease = Effect.fnUntraced(function* (doubt: Doubt) {
  const { ledger, options, metrics, led } = yield* Writer
  const { manager } = yield* Nats
  let store: StoreState | undefined
  /** It took no connection since it last answered. */
  let wasAway = false
  let offset = 0
  /** By the own clock. */
  let heardAt = Number.NEGATIVE_INFINITY
  const look = Effect.gen(function* () {
    const state = yield* readStoreState
    heardAt = Date.now()
    offset = state.now - heardAt
    if (store !== undefined && (wasAway || isRestart(store, state))) yield* signal(doubt, "store_restarted")
    store = state
    wasAway = false
  }).pipe(
    // Two starts within two seconds look like one by the server's own clock.
    Effect.tapError(({ reason }) => Effect.sync(() => (wasAway ||= reason === "unavailable"))),
  )
  const lag = Effect.gen(function* () {
    const { created, state, config } = yield* attemptNats("look at the stream", () =>
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
    yield* warnOfLoss(metrics, oldest, Number(config.max_age) / 1_000_000)
  })
  return yield* Effect.forever(
    Effect.gen(function* () {
      // What cannot be reached now is met by whoever needs it; the lease runs out by itself.
      yield* look.pipe(Effect.timeout(options.lease / 3), Effect.ignore)
      // Who does not reach the store lets somebody else have it, who may.
      if (Date.now() - heardAt < options.lease)
        yield* ledger
          .change((record) => renewed(record, Date.now() + offset + options.lease, led.through))
          .pipe(Effect.catchTag("NatsError", (error) => Effect.logWarning(error.message)))
      yield* lag.pipe(Effect.catch(() => Effect.sync(() => forgetLag(metrics))))
      yield* Effect.sleep(options.lease / 3)
    }),
  )
})

/** Tells the owner that the others are to have its partition. */
export const watchTurn = Effect.fnUntraced(function* (doubt: Doubt) {
  const { turn } = yield* Writer
  return yield* Effect.suspend(() => (turn.mustGive() ? signal(doubt, "rebalanced") : Effect.void)).pipe(
    Effect.andThen(Effect.sleep("100 millis")),
    Effect.forever,
  )
})

/** How often an owner looks whether somebody wants its partition. */
const LOOK = "500 millis"

/** Tells the owner that somebody else has put up a barrier. Whether it still holds is for whoever takes the partition. */
export const watchBarrier = Effect.fnUntraced(function* (doubt: Doubt) {
  const { ledger, owner } = yield* Writer
  const look = Effect.gen(function* () {
    const record = yield* ledger.peek
    if (record?.barrier !== undefined && record.barrier.holder !== owner) yield* signal(doubt, "barrier")
  })
  yield* look.pipe(
    // A broker that is away is the lease's affair.
    Effect.ignore,
    Effect.andThen(Effect.sleep(LOOK)),
    Effect.forever,
  )
})
