import { Effect, Metric } from "effect"
import { createMiddleware } from "hono/factory"
import type { Env, Services } from "./http/bridge.ts"

const requests = Metric.counter("http_requests_total", {
  description: "Requests answered, by route, method and status",
  incremental: true,
})

const durations = Metric.histogram("http_request_duration_seconds", {
  description: "Seconds until the answer was ready, by route and method",
  boundaries: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25],
})

/** Counts and times every request. The route is a pattern, never an address: addresses have no end. */
export const measured = (services: Services) =>
  createMiddleware<Env>(async (c, next) => {
    const start = performance.now()
    await next()
    const labels = { route: c.get("route") ?? "unmatched", method: c.req.method }
    Metric.withAttributes(requests, { ...labels, status: String(c.res.status) }).updateUnsafe(1, services)
    Metric.withAttributes(durations, labels).updateUnsafe((performance.now() - start) / 1000, services)
  })

const resident = Metric.gauge("process_resident_memory_bytes", { description: "Resident memory" })
const heap = Metric.gauge("nodejs_heap_size_used_bytes", { description: "Used heap" })
const started = Metric.gauge("process_start_time_seconds", {
  description: "When the process began, since 1970",
})

/** Takes the process's own numbers; they are read when they are asked for. */
export const measureProcess = Effect.gen(function* () {
  const memory = process.memoryUsage()
  yield* Metric.update(resident, memory.rss)
  yield* Metric.update(heap, memory.heapUsed)
  yield* Metric.update(started, performance.timeOrigin / 1000)
})
