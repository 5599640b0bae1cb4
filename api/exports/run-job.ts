import { ClickHouse } from "#clickhouse"
import { Clock, Effect, Schema } from "effect"
import { Nats, type NatsError } from "#nats/connection.ts"
import type { ExportFailure, ExportJob } from "#schemas/export-job.ts"
import { STREAMS } from "#schemas/names.ts"
import { settingsReader } from "../auth/settings.ts"
import { readLedger } from "../queries/freshness.ts"
import { decide, fileOf, MAX_ATTEMPTS, nextAttempt, verdictOf } from "./attempt.ts"
import type { Files } from "./files.ts"
import { changeJob, findJob, type Job } from "./jobs.ts"
import { attempted, ended } from "./metrics.ts"
import { insist, type Lost, writeOwn } from "./ownership.ts"
import { noProgress, produce, type Progress, type Render } from "./produce.ts"
import type { Delivery } from "./queue.ts"

export interface RunOptions {
  readonly files: Files
  readonly render: Render
  /** Names this worker among all of them. */
  readonly worker: string
  /** How long a file is kept. Milliseconds. */
  readonly ttl: number
  /** How long a store that is away is waited for; half an hour when absent. Milliseconds. */
  readonly patience?: number
}

/** Whatever was thrown while a file was made. */
class Broken extends Schema.TaggedError<Broken>()("Broken", { thrown: Schema.Unknown }) {}

/** How often a worker says that it lives, writes how far it is, and looks whether the job is still its own. */
const BEAT = "1 second"
/** When to look again whether the writer has stored what a snapshot holds. Milliseconds. */
const LOOK_AGAIN = 1000
/** How long a store that is away is waited for. Milliseconds. */
const PATIENCE = 30 * 60_000

/** Everything up to the snapshot's place in the stream is stored, so a second run finds the same. */
const isStored = Effect.fn("isStored")(function* ({ pin }: ExportJob["snapshot"]) {
  const ledger = yield* readLedger(pin.stream ?? STREAMS.actions)
  if (ledger === undefined || ledger.generation > pin.generation) return true
  return ledger.generation === pin.generation && ledger.committed >= pin.sequence
})

/** Names that were hidden since the asking are hidden; those that were hidden then stay so. */
const hidesNames = Effect.fn("hidesNames")(function* ({ tenant, hide_names }: ExportJob["snapshot"]) {
  const settings = yield* settingsReader()(tenant)
  return hide_names || settings.hide_names
})

const start = Effect.fn("startExport")(function* (job: Job, { sequence }: Delivery, worker: string) {
  const hide_names = yield* hidesNames(job.record.snapshot)
  const { expected_rows: _, failure: __, ...record } = job.record
  return yield* changeJob(job, {
    ...record,
    state: "running",
    attempt: record.attempt + 1,
    worker,
    message: sequence,
    snapshot: { ...record.snapshot, hide_names },
    started_at: yield* Clock.currentTimeMillis,
    rows: 0,
    bytes: 0,
  })
})

/** Runs a promise that is told to stop, and waits until it has. */
const stoppable = <A>(run: (signal: AbortSignal) => Promise<A>): Effect.Effect<A, Broken> =>
  Effect.callback<A, Broken>((resume, signal) => {
    const settled = run(signal).then(
      (value) => resume(Effect.succeed(value)),
      (thrown: unknown) => resume(Effect.fail(new Broken({ thrown }))),
    )
    return Effect.promise(() => settled)
  })

const withProgress =
  ({ rows, bytes, expectedRows }: Progress) =>
  (record: ExportJob): ExportJob => ({
    ...record,
    rows,
    bytes,
    ...(expectedRows === undefined ? {} : { expected_rows: expectedRows }),
  })

/** Never ends but when the job is lost. A broker that is away is no reason to stop: the last write tells. */
const heartbeat = Effect.fn("exportHeartbeat")(function* (
  own: { job: Job },
  delivery: Delivery,
  progress: Progress,
): Effect.fn.Return<never, Lost, Nats> {
  for (;;) {
    yield* Effect.sleep(BEAT)
    delivery.working()
    own.job = yield* writeOwn(own.job, withProgress(progress)).pipe(
      Effect.catchTag("NatsError", (error) => Effect.as(Effect.logWarning(error.message), own.job)),
    )
  }
})

const giveUp = Effect.fn("giveUpExport")(function* (job: Job, failure: ExportFailure) {
  const ended_at = yield* Clock.currentTimeMillis
  yield* insist(writeOwn(job, (record) => ({ ...record, state: "failed", failure, ended_at })))
  yield* ended(job.record, "failed")
})

/** The worker that made the last attempt is gone; there is none to claim. Undefined when somebody wrote meanwhile. */
const giveUpLost = Effect.fn("giveUpLostExport")(function* (job: Job) {
  const ended_at = yield* Clock.currentTimeMillis
  const lost = yield* changeJob(job, { ...job.record, state: "failed", failure: "worker_lost", ended_at })
  if (lost !== undefined) yield* ended(lost.record, "failed")
  return lost
})

/** The job goes back into the queue, for this worker or another. */
const giveBack = (job: Job, change: Pick<ExportJob, "attempt" | "away_since">) =>
  insist(writeOwn(job, (record) => ({ ...record, ...change, state: "queued", rows: 0, bytes: 0 })))

/** The connection is closed soon after, with whatever it has not sent. */
const sendLast = (send: () => void) =>
  Effect.flatMap(Nats, ({ connection }) =>
    Effect.promise(() => {
      send()
      return connection.flush()
    }),
  )

/** One attempt, from the claim to its end. */
const attemptJob = Effect.fn("attemptExport")(function* (
  claimed: Job,
  delivery: Delivery,
  { files, render, ttl, patience = PATIENCE }: RunOptions,
): Effect.fn.Return<void, Lost | NatsError, ClickHouse | Nats> {
  const store = yield* ClickHouse
  const own = { job: claimed }
  const { request, snapshot, attempt } = claimed.record
  const name = fileOf(claimed.record)
  const progress = noProgress()
  const making = stoppable((signal) =>
    produce({ render, files, name, progress, store, request, snapshot, signal }),
  )
  const remove = Effect.ignore(Effect.tryPromise(() => files.remove(name)))

  const complete = Effect.fnUntraced(function* (sha256: string) {
    const ended_at = yield* Clock.currentTimeMillis
    const done = withProgress(progress)
    yield* insist(
      writeOwn(own.job, (record) => ({
        ...done(record),
        state: "completed",
        ended_at,
        expires_at: ended_at + ttl,
        sha256,
        file: name,
      })),
    )
    yield* ended(own.job.record, "completed", progress)
    delivery.done()
  })

  const fail = Effect.fnUntraced(function* (thrown: unknown) {
    const { failure, again } = verdictOf(thrown)
    yield* Effect.logWarning("an attempt at an export failed", thrown).pipe(
      Effect.annotateLogs({ id: claimed.record.id, attempt, failure }),
    )
    const next = nextAttempt(again, own.job.record, yield* Clock.currentTimeMillis, patience)
    if (next === undefined) {
      yield* giveUp(own.job, failure)
      delivery.done()
    } else {
      yield* giveBack(own.job, next.record)
      delivery.later(next.delay)
    }
  })

  yield* Effect.raceFirst(making, heartbeat(own, delivery, progress)).pipe(
    Effect.matchEffect({
      onSuccess: complete,
      onFailure: (error) => (error._tag === "Broken" ? fail(error.thrown) : Effect.fail(error)),
    }),
    // Whoever has the job now makes a file of another name.
    Effect.tapErrorTag("Lost", () => remove),
    // Told to stop: no fault of the job, so it does not count as an attempt.
    Effect.onInterrupt(() =>
      giveBack(own.job, { attempt: attempt - 1 }).pipe(
        Effect.andThen(sendLast(() => delivery.later(0))),
        Effect.timeout("3 seconds"),
        Effect.ignore,
      ),
    ),
  )
})

/** Does what a message of the queue asks for, as far as that is still to be done and this worker's to do. */
export const runJob = Effect.fn("runExport")(function* (delivery: Delivery, options: RunOptions) {
  const job = yield* findJob(delivery.tenant, delivery.id)
  if (job === undefined || decide(job.record, delivery.sequence) === "drop") return delivery.done()
  if (job.record.attempt >= MAX_ATTEMPTS)
    return (yield* giveUpLost(job)) === undefined ? delivery.later(LOOK_AGAIN) : delivery.done()
  if (!(yield* isStored(job.record.snapshot))) return delivery.later(LOOK_AGAIN)
  const claimed = yield* start(job, delivery, options.worker)
  // Somebody wrote it at this moment: a cancellation, or another worker.
  if (claimed === undefined) return delivery.later(LOOK_AGAIN)
  yield* attemptJob(claimed, delivery, options).pipe(
    attempted,
    Effect.catchTag("Lost", ({ ended: isOver }) =>
      // The message of a job that another worker has is that worker's.
      Effect.sync(() => (isOver ? delivery.done() : undefined)),
    ),
  )
})
