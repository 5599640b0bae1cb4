import { Effect, Metric } from "effect"
import type { ExportJob } from "#schemas/export-job.ts"

const jobs = Metric.counter("export_jobs_total", {
  description: "Exports that ended, by report, format and how",
  incremental: true,
})
const rows = Metric.counter("export_rows_total", {
  description: "Rows of completed exports, by report and format",
  incremental: true,
})
const bytes = Metric.counter("export_bytes_total", {
  description: "Bytes of completed exports, by report and format",
  incremental: true,
})
const seconds = Metric.histogram("export_duration_seconds", {
  description: "Seconds from the start of a completed export's last attempt to its end, by report and format",
  boundaries: [0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600],
})
const running = Metric.gauge("export_jobs_running", { description: "Exports that this process works at" })
const queued = Metric.gauge("export_jobs_queued", {
  description: "Exports that wait or run, over all tenants and workers",
})

/** An export ended here, with what was made of it. */
export const ended = Effect.fnUntraced(function* (
  { request, started_at }: ExportJob,
  state: "completed" | "failed" | "canceled",
  made?: { readonly rows: number; readonly bytes: number },
) {
  const labels = { report: request.report, format: request.format }
  yield* Metric.update(Metric.withAttributes(jobs, { ...labels, state }), 1)
  if (made === undefined) return
  yield* Metric.update(Metric.withAttributes(rows, labels), made.rows)
  yield* Metric.update(Metric.withAttributes(bytes, labels), made.bytes)
  if (started_at !== undefined)
    yield* Metric.update(Metric.withAttributes(seconds, labels), (Date.now() - started_at) / 1000)
})

let atWork = 0
const count = (more: number) => Effect.suspend(() => Metric.update(running, (atWork += more)))

export const attempted = <A, E, R>(attempt: Effect.Effect<A, E, R>) =>
  Effect.acquireUseRelease(
    count(1),
    () => attempt,
    () => count(-1),
  )

export const measureQueue = (waiting: number) => Metric.update(queued, waiting)
