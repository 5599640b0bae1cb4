import { JetStreamApiError } from "@nats-io/jetstream"
import type { KV, KvEntry } from "@nats-io/kv"
import { Effect, Option, Schema } from "effect"
import { unlessConflict } from "#nats/conflict.ts"
import { attemptNats, Nats, type NatsError } from "#nats/connection.ts"
import { ExportJob } from "#schemas/export-job.ts"
import { BUCKETS } from "#schemas/names.ts"

/** A record with the revision under which it was read: whoever writes it next must name that. */
export interface Job {
  readonly record: ExportJob
  readonly revision: number
}

/** What stands in the bucket, whether or not this version can read it. */
export interface Entry {
  readonly key: string
  readonly revision: number
  /** Milliseconds since 1970. */
  readonly written: number
  /** Undefined when another version wrote it, with an action that the catalogue has not, or when it is broken. */
  readonly record: ExportJob | undefined
}

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(ExportJob))

const entryOf = (entry: KvEntry): Entry => ({
  key: entry.key,
  revision: entry.revision,
  written: entry.created.getTime(),
  record: Option.getOrUndefined(decode(entry.string())),
})

/** The job of an entry. One record that cannot be read is told of, and keeps nobody from the others. */
export const readJob = Effect.fnUntraced(function* ({ key, record, revision }: Entry) {
  if (record !== undefined) return { record, revision }
  yield* Effect.logWarning("an export's record cannot be read").pipe(Effect.annotateLogs({ key }))
  return undefined
})

const keyOf = ({ snapshot, id }: ExportJob): string => `${snapshot.tenant}.${id}`

const bucket = Effect.gen(function* () {
  const { kv } = yield* Nats
  return yield* attemptNats(`open bucket ${BUCKETS.exports}`, () => kv.open(BUCKETS.exports))
})

const attempt = <A>(operation: string, run: (jobs: KV) => Promise<A>) =>
  Effect.flatMap(bucket, (jobs) => attemptNats(operation, () => run(jobs)))

const readEntry = Effect.fnUntraced(function* (key: string) {
  const entry = yield* attempt("read an export", (jobs) => jobs.get(key))
  return entry?.operation === "PUT" ? entryOf(entry) : undefined
})

export const findEntry = Effect.fn("findJobEntry")(function* (
  tenant: string,
  id: string,
): Effect.fn.Return<Entry | undefined, NatsError, Nats> {
  return yield* readEntry(`${tenant}.${id}`)
})

export const findJob = Effect.fn("findJob")(function* (
  tenant: string,
  id: string,
): Effect.fn.Return<Job | undefined, NatsError, Nats> {
  const entry = yield* findEntry(tenant, id)
  return entry === undefined ? undefined : yield* readJob(entry)
})

/** Undefined when there is one of this id already. */
export const createJob = Effect.fn("createJob")(function* (
  record: ExportJob,
): Effect.fn.Return<Job | undefined, NatsError, Nats> {
  const revision = yield* attempt("create an export", (jobs) =>
    unlessConflict(jobs.create(keyOf(record), JSON.stringify(record))),
  )
  return revision === undefined ? undefined : { record, revision }
})

/** Compare-and-swap: undefined when somebody else wrote it meanwhile, and then nothing is written. */
export const changeJob = Effect.fn("changeJob")(function* (
  job: Job,
  record: ExportJob,
): Effect.fn.Return<Job | undefined, NatsError, Nats> {
  const revision = yield* attempt("write an export", (jobs) =>
    unlessConflict(jobs.update(keyOf(job.record), JSON.stringify(record), job.revision)),
  )
  return revision === undefined ? undefined : { record, revision }
})

/**
 * Forgets a job, unless somebody wrote it meanwhile: a revision is the place of its message, which a later write takes
 * out. A deletion of the key would leave a marker for ever.
 */
export const forgetJob = Effect.fn("forgetJob")(function* ({
  revision,
}: Pick<Job, "revision">): Effect.fn.Return<void, NatsError, Nats> {
  const { manager } = yield* Nats
  yield* attemptNats("forget an export", () =>
    manager.streams.deleteMessage(`KV_${BUCKETS.exports}`, revision, false).catch((error: unknown) => {
      if (error instanceof JetStreamApiError) return false
      throw error
    }),
  )
})

const KEYS = `$KV.${BUCKETS.exports}.`

/**
 * Every entry of a tenant, or of all of them, key by key: a reading of all in one go ends by how many the broker says are
 * still to come, which is not so when others are taken out meanwhile.
 */
export const listEntries = Effect.fn("listJobEntries")(function* (
  tenant = "*",
): Effect.fn.Return<ReadonlyArray<Entry>, NatsError, Nats> {
  const { manager } = yield* Nats
  const { state } = yield* attemptNats("list exports", () =>
    manager.streams.info(`KV_${BUCKETS.exports}`, { subjects_filter: `${KEYS}${tenant}.*` }),
  )
  const keys = Object.keys(state.subjects ?? {}).map((subject) => subject.slice(KEYS.length))
  const entries = yield* Effect.forEach(keys, readEntry, { concurrency: 32 })
  return entries.filter((entry) => entry !== undefined)
})

/** Every job of a tenant. */
export const listJobs = Effect.fn("listJobs")(function* (
  tenant: string,
): Effect.fn.Return<ReadonlyArray<Job>, NatsError, Nats> {
  const jobs = yield* Effect.forEach(yield* listEntries(tenant), readJob)
  return jobs.filter((job) => job !== undefined)
})
