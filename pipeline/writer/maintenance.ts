import { Deferred, Effect, Ref, Schema } from "effect"
import type { ClickHouse, ClickHouseError } from "#clickhouse"
import type { Nats, NatsError } from "#nats/connection.ts"
import { learnTombstones } from "../erase/reapply.ts"
import { claim, type OtherPartitions, type UnsafeLedger } from "./claim.ts"
import { Writer, type WriterOptions } from "./context.ts"
import { checkGround } from "./guards.ts"
import { keepLease } from "./lease.ts"
import { type LeaseLost } from "./ledger.ts"
import { type DoubtCause, makeWriterMetrics } from "./metrics.ts"
import { openWriter } from "./open-writer.ts"
import { settle } from "./settle.ts"
import { readStoreState } from "./store-clock.ts"
import { isUnanswered, rememberUnanswered } from "./unanswered.ts"
import type { Zones } from "./zones.ts"

/** Other maintenance has the partition, or waits for it. */
export class BarrierTaken extends Schema.TaggedError<BarrierTaken>()("BarrierTaken", {
  stream: Schema.String,
  why: Schema.String,
}) {
  override get message(): string {
    return `${this.stream} is taken for other maintenance: ${this.why}. Try again when that is done; one that was broken off lets go by itself within a minute.`
  }
}

export interface MaintenanceOptions extends WriterOptions {
  /** What it is for, in words: other maintenance that meets it says so. */
  readonly why: string
  /** For a look that is to see the store as it is: only what is in doubt is proved before, not what was committed last. */
  readonly asItIs?: boolean
  /** For work that proves by itself what is in doubt. */
  readonly unsettled?: boolean
}

export type MaintenanceError =
  | ClickHouseError
  | NatsError
  | LeaseLost
  | UnsafeLedger
  | OtherPartitions
  | BarrierTaken

/** How long a barrier outlives its holder while it waits for the partition. */
const BARRIER = 30_000
const RENEW = "5 seconds"

/** Asks for the partition, once; a later call of the same holder renews it. */
const reserve = Effect.fnUntraced(function* (why: string) {
  const { ledger, options, owner } = yield* Writer
  const { now } = yield* readStoreState
  const other = yield* ledger.reserve({ holder: owner, why, until: now + BARRIER }, now)
  if (other !== undefined) return yield* new BarrierTaken({ stream: options.stream, why: other.why })
})

/** Lets go of lease and barrier. While something is in doubt a statement may still run: then the lease runs out by itself. */
const giveBack = Effect.gen(function* () {
  const { ledger, owner, unanswered } = yield* Writer
  const record = ledger.current()
  const isSound = record !== undefined && record.horizon <= record.committed && record.unproved === undefined
  if (isSound && unanswered.until === 0) yield* ledger.change((mine) => ({ ...mine, lease_until: 0 }))
  yield* ledger.withdraw(owner)
}).pipe(Effect.catch((error) => Effect.logInfo(`lease and barrier run out by themselves: ${error.message}`)))

/**
 * Does work as the owner of a stream's partition, in place of its writer: nothing is in doubt and nothing is on its way
 * while it runs, and nobody else writes the partition's tenants. The writer is asked to give the partition back and takes
 * it again afterwards. Work of a process that dies or hangs is cut off as that of a writer is: by the lease, the fence of
 * every statement, and the next owner, who settles. Statements must be fenced (`fence.ts`), rows up to `committed` be
 * changed by `changing`.
 */
export const maintain = Effect.fn("maintain")(function* <A, E, R>(
  { why, asItIs = false, unsettled = false, ...options }: MaintenanceOptions,
  zones: Zones,
  work: Effect.Effect<A, E, R>,
): Effect.fn.Return<A, E | MaintenanceError, Exclude<R, Writer> | ClickHouse | Nats> {
  const writer = yield* openWriter(options, zones, makeWriterMetrics())
  const whole = Effect.gen(function* () {
    yield* reserve(why)
    const renewing = reserve(why).pipe(Effect.delay(RENEW), Effect.forever)
    yield* claim.pipe(Effect.andThen(learnTombstones), Effect.raceFirst(renewing))
    // Whatever befalls store or stream meanwhile is met by the work's own statements, or by the next owner.
    const doubt = yield* Ref.make(yield* Deferred.make<DoubtCause>())
    const record = writer.ledger.current()
    const isInDoubt =
      record === undefined || record.horizon > record.committed || record.unproved !== undefined
    const prove = checkGround().pipe(Effect.andThen(settle()))
    return yield* (unsettled || (asItIs && !isInDoubt) ? Effect.void : prove).pipe(
      Effect.andThen(work),
      Effect.raceFirst(keepLease(doubt)),
    )
  })
  return yield* whole.pipe(
    Effect.tapError((error) => (isUnanswered(error) ? rememberUnanswered : Effect.void)),
    Effect.onInterrupt(() => rememberUnanswered),
    Effect.ensuring(
      Effect.andThen(
        giveBack,
        Effect.promise(() => writer.publisher.close()),
      ),
    ),
    Effect.provideService(Writer, writer),
    Effect.annotateLogs({ service: "maintenance", stream: options.stream }),
  )
})

/** Does work as the owner of several streams: taken one within the other, so give them in the order of their names. */
export const maintainAll = <A, E>(
  streams: ReadonlyArray<MaintenanceOptions>,
  zones: Zones,
  work: (owners: ReadonlyArray<Writer["Service"]>) => Effect.Effect<A, E, ClickHouse | Nats>,
  owners: ReadonlyArray<Writer["Service"]> = [],
): Effect.Effect<A, E | MaintenanceError, ClickHouse | Nats> => {
  const [first, ...rest] = streams
  return first === undefined
    ? work(owners)
    : maintain(
        first,
        zones,
        Effect.flatMap(Writer, (owner) => maintainAll(rest, zones, work, [...owners, owner])),
      )
}
