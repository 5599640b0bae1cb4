import { Clock, Effect } from "effect"
import type { Nats, NatsError } from "#nats/connection.ts"
import type { ExportJob } from "#schemas/export-job.ts"
import { type Refused, refuse } from "../http/failure.ts"
import { isFinal } from "./attempt.ts"
import type { Files } from "./files.ts"
import { expire } from "./janitor.ts"
import { changeJob, findJob, type Job } from "./jobs.ts"
import { ended } from "./metrics.ts"

const unavailable = refuse(
  "unavailable",
  "The file is taken from view, but its store does not answer at the moment; it is removed later.",
  {},
  { "Retry-After": "60" },
)

/** Cancels what has not ended, and takes the file of what has. The worker at it notices within a second. */
export const expireOrCancel = Effect.fn("removeExport")(function* (
  job: Job,
  files: Files,
): Effect.fn.Return<ExportJob, NatsError | Refused, Nats> {
  let current = job
  for (;;) {
    const { record } = current
    if (isFinal(record) && record.file === undefined) return record
    const ended_at = yield* Clock.currentTimeMillis
    const changed = isFinal(record)
      ? yield* expire(current, files).pipe(Effect.catchTag("FilesError", () => unavailable))
      : yield* changeJob(current, { ...record, state: "canceled", ended_at })
    if (changed !== undefined) {
      if (changed.record.state === "canceled") yield* ended(record, "canceled")
      return changed.record
    }
    // Written meanwhile: by a worker, or by somebody else who removes it.
    const found = yield* findJob(record.snapshot.tenant, record.id)
    if (found === undefined) return record
    current = found
  }
})
