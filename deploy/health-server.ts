import { createServer, type Server } from "node:http"
import { Effect, Schema } from "effect"
import type { WriterMetrics } from "../pipeline/writer/metrics.ts"
import { renderWriterMetrics } from "../pipeline/writer/prometheus.ts"

/** The writer's health could not be served; `hint` is the one thing to do. */
export class HealthPortError extends Schema.TaggedError<HealthPortError>()("HealthPortError", {
  detail: Schema.String,
  hint: Schema.String,
}) {
  override get message(): string {
    return `the writer's health cannot be served: ${this.detail}. ${this.hint}`
  }
}

/** Without a word from both engines for this long, the writer is not ready. Milliseconds. */
const SILENCE = 15_000

const isReady = (metrics: WriterMetrics): boolean => Date.now() - metrics.heardAt < SILENCE

/** `/healthz` (the process lives), `/readyz` (both engines answer) and `/metrics` of a writer, until the scope ends. */
export const serveWriterHealth = (metrics: WriterMetrics, host: string, port: number) =>
  Effect.acquireRelease(
    Effect.callback<Server, HealthPortError>((resume) => {
      const server = createServer((request, response) => {
        const answer = (status: number, body: string) =>
          response.writeHead(status, { "content-type": "application/json" }).end(body)
        if (request.url === "/metrics")
          response.setHeader("content-type", "text/plain; version=0.0.4").end(renderWriterMetrics(metrics))
        else if (request.url === "/healthz") answer(200, '{"status":"ok"}')
        else if (request.url === "/readyz")
          if (isReady(metrics)) answer(200, '{"status":"ready"}')
          else answer(503, '{"status":"not ready","detail":"NATS or ClickHouse does not answer"}')
        else answer(404, '{"detail":"there are /healthz, /readyz and /metrics"}')
      })
      server.once("error", (error: NodeJS.ErrnoException) =>
        resume(
          Effect.fail(
            new HealthPortError({
              detail: `${host}:${port} (${error.code ?? error.message})`,
              hint: "Stop what listens there, or set WRITER_PORT to another port.",
            }),
          ),
        ),
      )
      server.listen(port, host, () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.promise(() => new Promise<void>((resolve) => server.close(() => resolve()))),
  )
