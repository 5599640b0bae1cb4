import { randomUUID } from "node:crypto"
import { hostname } from "node:os"
import type { ClickHouse } from "#clickhouse"
import { Effect, FiberSet, Latch, type Scope, Semaphore } from "effect"
import { Nats, type NatsError } from "#nats/connection.ts"
import { SUBJECTS } from "#schemas/names.ts"
import type { Files } from "./files.ts"
import { tidyUp } from "./janitor.ts"
import { makeQueue, queuedByTenant, type QueueOptions } from "./queue.ts"
import type { Render } from "./produce.ts"
import { render as renderFormats } from "./render.ts"
import { runJob, type RunOptions } from "./run-job.ts"

export interface ExporterOptions extends QueueOptions, Pick<RunOptions, "patience"> {
  readonly files: Files
  /** How a file is made; the formats' own when absent. */
  readonly render?: Render
  readonly ttl: number
  /** Jobs that this worker does at once. */
  readonly concurrency: number
  /** Called whenever the broker has answered, with the time. */
  readonly onAlive?: (now: number) => void
}

/** Looked into so often even when nobody called. */
const LOOK = "500 millis"
const MINUTE = 60_000

/** Those after the last one first, so that each tenant has its turn. */
const inTurn = (tenants: ReadonlyArray<string>, last: string): ReadonlyArray<string> => {
  const sorted = tenants.toSorted()
  const next = sorted.findIndex((tenant) => tenant > last)
  return next === -1 ? sorted : [...sorted.slice(next), ...sorted.slice(0, next)]
}

const forEver = <A, E extends { readonly message: string }, R>(work: Effect.Effect<A, E, R>) =>
  work.pipe(
    Effect.catch((error) => Effect.andThen(Effect.logWarning(error.message), Effect.sleep("1 second"))),
    Effect.forever,
  )

const work = Effect.fn("workAtExports")(function* (
  options: ExporterOptions,
): Effect.fn.Return<never, never, ClickHouse | Nats | Scope.Scope> {
  const { connection } = yield* Nats
  const queue = makeQueue(options)
  const { render = renderFormats } = options
  const worker = `${hostname()}:${randomUUID()}`
  const running = yield* FiberSet.make<void>()
  const places = yield* Semaphore.make(options.concurrency)
  const called = yield* Latch.make(false)
  yield* Effect.acquireRelease(
    Effect.sync(() =>
      connection.subscribe(`${SUBJECTS.exports}.*`, { callback: () => void called.openUnsafe() }),
    ),
    (subscription) => Effect.sync(() => subscription.unsubscribe()),
  )
  let last = ""

  const begin = Effect.fnUntraced(function* (tenant: string) {
    if (!(yield* places.takeIfAvailable(1))) return false
    const delivery = yield* queue.take(tenant).pipe(Effect.onError(() => places.release(1)))
    if (delivery === undefined) {
      yield* places.release(1)
      return false
    }
    last = tenant
    yield* FiberSet.run(
      running,
      runJob(delivery, { ...options, render, worker }).pipe(
        // Its message comes again when the lease has passed.
        Effect.catchCause((cause) => Effect.logError("an export was dropped", cause)),
        Effect.ensuring(Effect.andThen(places.release(1), called.open)),
      ),
    )
    return true
  })

  const round: Effect.Effect<void, NatsError, ClickHouse | Nats> = Effect.gen(function* () {
    yield* called.close
    const tenants = inTurn([...(yield* queuedByTenant()).keys()], last)
    options.onAlive?.(Date.now())
    const began = yield* Effect.forEach(tenants, begin, { concurrency: options.concurrency })
    if (!began.includes(true)) yield* called.await.pipe(Effect.timeout(LOOK), Effect.ignore)
  })

  const tidying = tidyUp(options).pipe(Effect.andThen(Effect.sleep(Math.min(MINUTE, options.ttl / 4))))
  yield* Effect.forkScoped(forEver(tidying))
  return yield* forEver(round)
})

/**
 * Does export jobs until it is interrupted; what is under way then goes back into the queue. The scope is its own, so
 * that it takes no more jobs by the time those are given back.
 */
export const runExporter = Effect.fn("runExporter")(function* (options: ExporterOptions) {
  return yield* Effect.scoped(work(options))
})
