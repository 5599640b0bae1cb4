import { createServer, type Server } from "node:http"
import { Effect, Schema } from "effect"
import { PrometheusMetrics } from "effect/observability"
import { measureProcess } from "../api/metrics.ts"
import { makeProcessMetrics, type ProcessMetrics } from "../pipeline/writer/metrics.ts"
import { type AuditMetrics, makeAuditMetrics } from "../pipeline/audit/metrics.ts"
import { renderAuditMetrics } from "../pipeline/audit/prometheus.ts"
import { renderWriterMetrics } from "../pipeline/writer/prometheus.ts"

/** The health of a service could not be served; `hint` is the one thing to do. */
export class HealthPortError extends Schema.TaggedError<HealthPortError>()("HealthPortError", {
  service: Schema.String,
  detail: Schema.String,
  hint: Schema.String,
}) {
  override get message(): string {
    return `the ${this.service}'s health cannot be served: ${this.detail}. ${this.hint}`
  }
}

/** Without a word from the engines for this long, a service is not ready. Milliseconds. */
const SILENCE = 15_000

interface Health {
  readonly service: string
  /** The setting that names the port. */
  readonly setting: string
  readonly heardAt: () => number
  /** What to know of a service that is ready; undefined: nothing. */
  readonly note?: () => string | undefined
  readonly metrics: () => Promise<string>
}

/** `/healthz` (the process lives), `/readyz` (the engines answer) and `/metrics`, until the scope ends. */
const serveHealth = ({ service, setting, heardAt, note, metrics }: Health, host: string, port: number) =>
  Effect.acquireRelease(
    Effect.callback<Server, HealthPortError>((resume) => {
      const server = createServer(async (request, response) => {
        const answer = (status: number, body: string) =>
          response.writeHead(status, { "content-type": "application/json" }).end(body)
        if (request.url === "/metrics")
          response.setHeader("content-type", "text/plain; version=0.0.4").end(await metrics())
        else if (request.url === "/healthz") answer(200, '{"status":"ok"}')
        else if (request.url === "/readyz")
          if (Date.now() - heardAt() < SILENCE)
            answer(200, JSON.stringify({ status: "ready", note: note?.() }))
          else answer(503, '{"status":"not ready","detail":"NATS or ClickHouse does not answer"}')
        else answer(404, '{"detail":"there are /healthz, /readyz and /metrics"}')
      })
      server.once("error", (error: NodeJS.ErrnoException) =>
        resume(
          Effect.fail(
            new HealthPortError({
              service,
              detail: `${host}:${port} (${error.code ?? error.message})`,
              hint: `Stop what listens there, or set ${setting} to another port.`,
            }),
          ),
        ),
      )
      server.listen(port, host, () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.promise(() => new Promise<void>((resolve) => server.close(() => resolve()))),
  )

/** What the writing side of a process counts. */
export interface WritingMetrics {
  readonly writer: ProcessMetrics
  readonly audit: AuditMetrics
}

export const makeWritingMetrics = (): WritingMetrics => ({
  writer: makeProcessMetrics(),
  audit: makeAuditMetrics(),
})

export const serveWriterHealth = ({ writer, audit }: WritingMetrics, host: string, port: number) =>
  serveHealth(
    {
      service: "writer",
      setting: "WRITER_PORT",
      heardAt: () => writer.heardAt,
      note: () =>
        (audit.differences ?? 0) > 0
          ? `the last audit found ${audit.differences} differences; \`tidemark audit\` names them`
          : undefined,
      metrics: () => Promise.resolve(renderWriterMetrics(writer) + renderAuditMetrics(audit)),
    },
    host,
    port,
  )

const prometheus = measureProcess.pipe(Effect.andThen(PrometheusMetrics.format()))

/** The exporter's; gives what it must call whenever the broker has answered. */
export const serveExporterHealth = Effect.fn("serveExporterHealth")(function* (host: string, port: number) {
  let heardAt = 0
  const metrics = () => Effect.runPromise(prometheus)
  yield* serveHealth(
    { service: "exporter", setting: "EXPORTER_PORT", heardAt: () => heardAt, metrics },
    host,
    port,
  )
  return (now: number) => void (heardAt = now)
})
