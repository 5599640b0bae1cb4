import { createServer } from "node:http"
import { Effect } from "effect"
import type { WriterMetrics } from "../pipeline/writer/metrics.ts"
import { renderWriterMetrics } from "../pipeline/writer/prometheus.ts"

/** Serves `/healthz` and `/metrics` of a writer that runs as a process of its own, until the scope ends. */
export const serveWriterHealth = (metrics: WriterMetrics, host: string, port: number) =>
  Effect.acquireRelease(
    Effect.callback<ReturnType<typeof createServer>, Error>((resume) => {
      const server = createServer((request, response) => {
        if (request.url === "/metrics")
          response.setHeader("content-type", "text/plain; version=0.0.4").end(renderWriterMetrics(metrics))
        else if (request.url === "/healthz")
          response.setHeader("content-type", "application/json").end('{"status":"ok"}')
        else response.writeHead(404).end()
      })
      server.once("error", (error) => resume(Effect.fail(error)))
      server.listen(port, host, () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.promise(() => new Promise<void>((resolve) => server.close(() => resolve()))),
  )
