import { STREAMS } from "#schemas/names.ts"
import type { ExportRequest } from "#schemas/export.ts"
import type { Export, ExportJob } from "#schemas/export-job.ts"
import type { TenantSettings } from "#schemas/tenant-settings.ts"

const time = (instant: number | undefined): string | null =>
  instant === undefined ? null : new Date(instant).toISOString()

/** A file that is due is gone, whether or not somebody has removed it yet. */
export const stateAt = ({ state, expires_at = Infinity }: ExportJob, now: number): ExportJob["state"] =>
  state === "completed" && expires_at <= now ? "expired" : state

/** `acme_user_actions_2026-11-01_2026-11-22.csv.gz` */
export const fileNameOf = ({ request, snapshot }: ExportJob): string =>
  `${snapshot.tenant}_${request.report}_${snapshot.from}_${snapshot.to}.${request.format}${request.gzip === true ? ".gz" : ""}`

const progressOf = ({ state, rows, expected_rows }: ExportJob): number | null => {
  if (state === "completed" || state === "expired") return 1
  if (state === "queued") return 0
  if (expected_rows === undefined) return null
  // The last rows are in the file before the file is stored.
  return expected_rows === 0 ? 0 : Math.min(0.99, Math.round((rows / expected_rows) * 100) / 100)
}

/** What was asked for, without the addresses that were filtered by before the tenant hid them. */
const withoutAddresses = (request: ExportRequest): ExportRequest => {
  const { user_email: _, ...others } = request
  return others
}

export const viewOf = (
  job: ExportJob,
  now: number,
  { hide_names }: Pick<TenantSettings, "hide_names">,
): Export => {
  const { snapshot } = job
  const request = hide_names ? withoutAddresses(job.request) : job.request
  return {
    id: job.id,
    state: stateAt(job, now),
    report: request.report,
    format: request.format,
    created_at: new Date(job.created_at).toISOString(),
    created_by: job.owner,
    started_at: time(job.started_at),
    ended_at: time(job.ended_at),
    expires_at: time(job.expires_at),
    progress: progressOf(job),
    rows: job.rows,
    bytes: job.bytes,
    sha256: job.sha256 ?? null,
    file_name: fileNameOf(job),
    attempts: job.attempt,
    failure: job.failure ?? null,
    manifest: {
      request,
      from: snapshot.from,
      to: snapshot.to,
      time_zone: snapshot.zone,
      as_of: new Date(snapshot.now).toISOString(),
      stream: {
        name: snapshot.pin.stream ?? STREAMS.actions,
        generation: snapshot.pin.generation,
        sequence: snapshot.pin.sequence,
      },
      scope: snapshot.scope,
      names_hidden: snapshot.hide_names,
      cells_defused: request.format === "csv" && request.csv?.defuse !== false,
    },
  }
}
