import { ClickHouse } from "#clickhouse"
import { Effect, Schema } from "effect"
import { PrometheusMetrics } from "effect/observability"
import { attemptNats, Nats } from "#nats/connection.ts"
import { partitionsInForce, readArrangement } from "#nats/partitions.ts"
import { BUCKETS, DATABASE, STREAMS, TABLES } from "#schemas/names.ts"
import { actionStreams } from "#schemas/partitions.ts"
import { ok } from "../http/answer.ts"
import { type Route, route } from "../http/endpoint.ts"
import { refuse } from "../http/failure.ts"
import { measureProcess } from "../metrics.ts"
import { readDataQuality } from "../queries/data-quality.ts"

const Status = Schema.Struct({ status: Schema.String })

const healthz = route(
  {
    method: "GET",
    path: "/healthz",
    summary: "The process is alive",
    answers: { 200: { description: "It is.", content: Status } },
  },
  () => Effect.succeed(ok({ status: "ok" })),
)

const MISSING = `
SELECT arrayJoin({tables:Array(String)}) AS name
WHERE name NOT IN (SELECT name FROM system.tables WHERE database = {database:String})`

const checkStore = Effect.gen(function* () {
  const store = yield* ClickHouse
  const tables = Object.values(TABLES).map((table) => table.slice(DATABASE.length + 1))
  const missing = yield* store.query<{ readonly name: string }>(MISSING, {
    params: { database: DATABASE, tables },
  })
  return missing.length === 0
    ? "ok"
    : `${missing.map(({ name }) => name).join(", ")} missing; run \`tidemark migrate\``
}).pipe(Effect.catch(({ reason }) => Effect.succeed(reason)))

/** A note and no outage: reports go on answering, and say what the store says. */
const noteAudit = readDataQuality(false).pipe(
  Effect.map(({ is_exact }) =>
    is_exact === null ? "not audited yet" : is_exact ? "ok" : "differences; see /v1/data-quality",
  ),
  Effect.catch(({ reason }) => Effect.succeed(reason)),
)

const checkBroker = Effect.gen(function* () {
  const { manager } = yield* Nats
  const buckets = Object.values(BUCKETS).map((bucket) => `KV_${bucket}`)
  const actions = actionStreams(yield* partitionsInForce)
  for (const stream of [...actions, STREAMS.directory, STREAMS.audit, ...buckets])
    yield* attemptNats(`ask for stream ${stream}`, () => manager.streams.info(stream))
  return "ok"
}).pipe(Effect.catch(({ detail }) => Effect.succeed(detail)))

/** No outage either: events go on being taken, and `data_through` says what waits. */
const notePartitions = readArrangement.pipe(
  Effect.map(({ partitions, changingTo }) =>
    changingTo === undefined ? "ok" : `changing from ${partitions ?? "none"} to ${changingTo}`,
  ),
  Effect.catch(({ detail }) => Effect.succeed(detail)),
)

const within = Effect.timeoutOrElse({
  duration: "3 seconds",
  orElse: () => Effect.succeed("no answer in 3 s"),
})

const readyz = route(
  {
    method: "GET",
    path: "/readyz",
    summary: "Both engines answer and hold what the API needs",
    answers: {
      200: {
        description: "Ready.",
        content: Schema.Struct({
          status: Schema.String,
          checks: Schema.Record(Schema.String, Schema.String),
        }),
      },
    },
    problems: ["unavailable"],
  },
  Effect.fn("readyz")(function* () {
    const checks = yield* Effect.all(
      { clickhouse: checkStore.pipe(within), nats: checkBroker.pipe(within) },
      { concurrency: "unbounded" },
    )
    const failing = Object.entries(checks).flatMap(([part, said]) => (said === "ok" ? [] : [part]))
    if (failing.length > 0)
      return yield* refuse(
        "unavailable",
        `Not ready: ${failing.join(", ")}.`,
        { checks },
        { "Retry-After": "2" },
      )
    const notes = yield* Effect.all(
      { audit: noteAudit.pipe(within), partitions: notePartitions.pipe(within) },
      { concurrency: "unbounded" },
    )
    return ok({ status: "ready", checks: { ...checks, ...notes } })
  }),
)

const metrics = route(
  {
    method: "GET",
    path: "/metrics",
    summary: "Prometheus metrics",
    answers: { 200: { description: "Text exposition format.", content: "text/plain" } },
  },
  () => measureProcess.pipe(Effect.andThen(PrometheusMetrics.format()), Effect.map(ok)),
)

export const healthRoutes: ReadonlyArray<Route> = [healthz, readyz, metrics]
