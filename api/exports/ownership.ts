import { Effect, Schedule, Schema } from "effect"
import type { Nats, NatsError } from "#nats/connection.ts"
import type { ExportJob } from "#schemas/export-job.ts"
import { isFinal } from "./attempt.ts"
import { changeJob, findJob, type Job } from "./jobs.ts"

/** Somebody else has the job now, or has ended it. */
export class Lost extends Schema.TaggedError<Lost>()("Lost", { ended: Schema.Boolean }) {}

const isMine = (mine: ExportJob, found: ExportJob): boolean =>
  found.state === "running" && found.worker === mine.worker && found.attempt === mine.attempt

const isWritten = (wanted: ExportJob, found: ExportJob): boolean =>
  JSON.stringify(wanted) === JSON.stringify(found)

/**
 * Writes a job that is this worker's own, and that alone: the broker refuses the write when the revision has moved. A
 * write whose answer was lost moves it too, so the record is read again before the job is taken for lost.
 */
export const writeOwn = Effect.fn("writeOwnExport")(function* (
  mine: Job,
  change: (record: ExportJob) => ExportJob,
): Effect.fn.Return<Job, Lost | NatsError, Nats> {
  let current = mine
  for (;;) {
    const wanted = change(current.record)
    const written = yield* changeJob(current, wanted)
    if (written !== undefined) return written
    const found = yield* findJob(mine.record.snapshot.tenant, mine.record.id)
    if (found !== undefined && isWritten(wanted, found.record)) return found
    if (found === undefined || !isMine(mine.record, found.record))
      return yield* new Lost({ ended: found === undefined || isFinal(found.record) })
    current = found
  }
})

/** For the writes that end an attempt: the broker may be away for a while. */
export const insist = <A, R>(write: Effect.Effect<A, Lost | NatsError, R>) =>
  Effect.retry(write, {
    schedule: Schedule.spaced("1 second").pipe(Schedule.upTo({ times: 10 })),
    while: ({ _tag }: Lost | NatsError) => _tag === "NatsError",
  })
