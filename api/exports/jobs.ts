import { JetStreamApiError } from "@nats-io/jetstream"
import type { KV } from "@nats-io/kv"
import { Effect, Schema } from "effect"
import { unlessConflict } from "#nats/conflict.ts"
import { attemptNats, Nats, type NatsError } from "#nats/connection.ts"
import { ExportJob } from "#schemas/export-job.ts"
import { BUCKETS } from "#schemas/names.ts"

/** A record with the revision under which it was read: whoever writes it next must name that. */
export interface Job {
  readonly record: ExportJob
  readonly revision: number
}

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(ExportJob))

const keyOf = ({ snapshot, id }: ExportJob): string => `${snapshot.tenant}.${id}`

const bucket = Effect.gen(function* () {
  const { kv } = yield* Nats
  return yield* attemptNats(`open bucket ${BUCKETS.exports}`, () => kv.open(BUCKETS.exports))
})

const attempt = <A>(operation: string, run: (jobs: KV) => Promise<A>) =>
  Effect.flatMap(bucket, (jobs) => attemptNats(operation, () => run(jobs)))

export const findJob = Effect.fn("findJob")(function* (
  tenant: string,
  id: string,
): Effect.fn.Return<Job | undefined, NatsError, Nats> {
  const entry = yield* attempt("read an export", (jobs) => jobs.get(`${tenant}.${id}`))
  return entry?.operation === "PUT" ? { record: decode(entry.string()), revision: entry.revision } : undefined
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
}: Job): Effect.fn.Return<void, NatsError, Nats> {
  const { manager } = yield* Nats
  yield* attemptNats("forget an export", () =>
    manager.streams.deleteMessage(`KV_${BUCKETS.exports}`, revision, false).catch((error: unknown) => {
      if (error instanceof JetStreamApiError) return false
      throw error
    }),
  )
})

/** Every job of a tenant, or of all of them. */
export const listJobs = Effect.fn("listJobs")(function* (
  tenant = "*",
): Effect.fn.Return<ReadonlyArray<Job>, NatsError, Nats> {
  return yield* attempt("list exports", async (jobs) => {
    const found: Array<Job> = []
    const history = await jobs.history({ key: `${tenant}.*` })
    for await (const entry of history)
      if (entry.operation === "PUT") found.push({ record: decode(entry.string()), revision: entry.revision })
    return found
  })
})
