import { Clock, Effect } from "effect"
import type { Nats, NatsError } from "#nats/connection.ts"
import type { ExportJob } from "#schemas/export-job.ts"
import { isFinal, parseFileName } from "./attempt.ts"
import { type Files, FilesError } from "./files.ts"
import { changeJob, type Entry, findEntry, forgetJob, type Job, listEntries, readJob } from "./jobs.ts"
import { measureQueue } from "./metrics.ts"
import { enqueue, queuedByTenant, queuedIds } from "./queue.ts"

export interface JanitorOptions {
  readonly files: Files
  /** How long a file is kept, and then as long again what is known of its job. Milliseconds. */
  readonly ttl: number
}

const attemptFiles = <A>(run: () => Promise<A>) =>
  Effect.tryPromise({
    try: run,
    catch: (cause) =>
      cause instanceof FilesError
        ? cause
        : new FilesError({ reason: "unavailable", operation: "tidy up", detail: String(cause) }),
  })

/** First the word that the file is gone, then the file: nobody is told of a file that is not there. */
export const expire = Effect.fn("expireExport")(function* (
  job: Job,
  files: Files,
): Effect.fn.Return<Job | undefined, NatsError | FilesError, Nats> {
  const { file } = job.record
  const now = yield* Clock.currentTimeMillis
  const expires_at = Math.min(now, job.record.expires_at ?? now)
  const expired =
    job.record.state === "expired"
      ? job
      : yield* changeJob(job, { ...job.record, state: "expired", expires_at })
  if (expired === undefined || file === undefined) return expired
  yield* attemptFiles(() => files.remove(file))
  const { file: _, ...record } = expired.record
  return yield* changeJob(expired, record)
})

/** One that has ended or begun meanwhile stays as it is. */
const queueAgain = Effect.fn("queueExportAgain")(function* (job: Job) {
  const written = yield* changeJob(job, { ...job.record, state: "queued" })
  if (written === undefined) return
  const { snapshot, id } = written.record
  yield* enqueue(snapshot.tenant, id, `${id}:${written.revision}`)
})

/**
 * Jobs that nobody was told of, because whoever wrote one died before the queue had it, or the queue was lost. Messages
 * are looked through only where a tenant has fewer of them than jobs.
 */
const queueLost = Effect.fn("queueLostExports")(function* (
  jobs: ReadonlyArray<Job>,
  queued: ReadonlyMap<string, number>,
) {
  const open = Map.groupBy(
    jobs.filter(({ record }) => !isFinal(record)),
    ({ record }) => record.snapshot.tenant,
  )
  for (const [tenant, theirs] of open) {
    if ((queued.get(tenant) ?? 0) >= theirs.length) continue
    const ids = yield* queuedIds(tenant)
    for (const job of theirs) if (!ids.has(job.record.id)) yield* queueAgain(job)
  }
})

const isDue = ({ state, expires_at = Infinity }: ExportJob, now: number): boolean =>
  state === "completed" && expires_at <= now

const isOld = (record: ExportJob, before: number): boolean =>
  isFinal(record) && record.file === undefined && (record.expires_at ?? record.ended_at ?? 0) <= before

/** A record that cannot be read may name any file of its job. */
const mayKeep = ({ record }: Entry, name: string, attempt: number): boolean =>
  record === undefined || record.file === name || (record.state === "running" && record.attempt === attempt)

/** Files of attempts that were lost or given up, and of jobs that are forgotten. */
const removeStrays = Effect.fn("removeStrayFiles")(function* (files: Files) {
  const names = yield* attemptFiles(() => Array.fromAsync(files.list()))
  for (const name of names) {
    const parsed = parseFileName(name)
    if (parsed === undefined) continue
    // As it is now, after the file was seen: a job that has just ended names its file.
    const entry = yield* findEntry(parsed.tenant, parsed.id)
    if (entry === undefined || !mayKeep(entry, name, parsed.attempt))
      yield* attemptFiles(() => files.remove(name))
  }
})

/** Ends what is due, finds what is lost. Any worker may do it at any time, and several at once. */
export const tidyUp = Effect.fn("tidyUpExports")(function* ({
  files,
  ttl,
}: JanitorOptions): Effect.fn.Return<void, NatsError | FilesError, Nats> {
  const now = yield* Clock.currentTimeMillis
  // Jobs first: one that is queued after them is in the queue by then.
  const entries = yield* listEntries()
  const queued = yield* queuedByTenant()
  yield* measureQueue([...queued.values()].reduce((sum, count) => sum + count, 0))
  const jobs: Array<Job> = []
  for (const entry of entries) {
    const job = yield* readJob(entry)
    if (job !== undefined) jobs.push(job)
    // Not at once: a worker of another version may be at it. Its file belongs to no export then.
    else if (entry.written <= now - ttl) yield* forgetJob(entry)
  }
  for (const job of jobs) {
    const { record } = job
    if (isDue(record, now) || (record.state === "expired" && record.file !== undefined))
      yield* expire(job, files)
    else if (isOld(record, now - ttl)) yield* forgetJob(job)
  }
  yield* queueLost(jobs, queued)
  yield* removeStrays(files)
  yield* attemptFiles(() => files.sweep())
})
