import { Effect, Layer, Schedule } from "effect"
import { ClickHouse } from "#clickhouse"
import { Nats } from "#nats/connection.ts"
import { STREAMS } from "#schemas/names.ts"
import { actionStreams } from "#schemas/partitions.ts"
import { ensureTopology } from "#nats/topology.ts"
import { migrate, MIGRATIONS_FOLDER } from "../migrations/migrate.ts"
import { runAuditLog } from "../pipeline/audit-log/consumer.ts"
import { auditHourly } from "../pipeline/audit/hourly.ts"
import { tellOpenLetters } from "../pipeline/dead-letters/open-letters.ts"
import { runDirectory } from "../pipeline/directory/consumer.ts"
import { runWriters } from "../pipeline/partitions/run-writers.ts"
import { MAX_ACTION_AGE } from "../pipeline/writer/open-writer.ts"
import { Zones } from "../pipeline/writer/zones.ts"
import type { Files } from "../api/exports/files.ts"
import { natsFiles } from "../api/exports/nats-files.ts"
import { runExporter } from "../api/exports/worker.ts"
import { adoptKeys } from "../api/auth/adopt-keys.ts"
import { serveApi } from "../api/server.ts"
import { adminKeyOf } from "./admin-key.ts"
import { startEngines } from "./engines/engines.ts"
import { makeWritingMetrics, serveWriterHealth, type WritingMetrics } from "./health-server.ts"
import { jwtOf } from "./jwt.ts"
import { NATS_SERVICES, natsUser, readPasswords } from "./nats/passwords.ts"
import { clickhouseUrlOf, natsUrlOf, type Settings } from "./settings.ts"
import { quietlyAs } from "./quietly.ts"
import { topologyOptionsOf, writingOf } from "./writer-options.ts"

/** The store's user of each service, as deploy/clickhouse/users.xml has them. */
export type Role = "migrator" | "writer" | "api" | "exporter" | "reader" | "access"

export const clickhouseOf = (settings: Settings, role: Role) =>
  ClickHouse.layer({
    url: clickhouseUrlOf(settings),
    user: settings.clickhouseUser ?? `tidemark_${role}`,
    password: settings.clickhousePassword,
    watch: role === "writer",
  })

/** Who a process is at NATS: as the settings say, else the service's own user of the server that runs here. */
const natsCredentials = ({ natsUrl, natsUser: user, natsPassword, dataDir }: Settings, name: string) => {
  if (natsUrl !== undefined || user !== undefined)
    return {
      ...(user === undefined ? {} : { user }),
      ...(natsPassword === undefined ? {} : { password: natsPassword }),
    }
  const service = NATS_SERVICES.find((known) => known === name) ?? "operator"
  const passwords = readPasswords(dataDir)
  return passwords === undefined ? {} : { user: natsUser(service), password: passwords[service] }
}

export const natsOf = (settings: Settings, name: string) =>
  Layer.unwrap(
    // Looked up when it is connected: the server's first start makes the passwords.
    Effect.sync(() =>
      Nats.layer({
        url: natsUrlOf(settings),
        name: `tidemark-${name}`,
        ...natsCredentials(settings, name),
      }),
    ),
  )

/** The streams and buckets; only the writer changes those that exist. Gives the number of partitions in force. */
export const topologyOf = (settings: Settings, service: "writer" | "other") =>
  ensureTopology(topologyOptionsOf(settings), service === "writer")

/** Brings the store's tables up to date; prints nothing. */
export const migrateStore = (settings: Settings) =>
  migrate(MIGRATIONS_FOLDER).pipe(Effect.provide(clickhouseOf(settings, "migrator")))

/** For a service that may start before its broker: once a second, for as long as it takes. */
export const untilThere = <A, E extends { readonly _tag: string; readonly message: string }, R>(
  service: Effect.Effect<A, E, R>,
): Effect.Effect<A, E, R> =>
  service.pipe(
    Effect.tapError((error) => Effect.logWarning(error.message)),
    Effect.retry({ schedule: Schedule.spaced("1 second"), while: (error: E) => error._tag === "NatsError" }),
  )

/** The writing side in one process: the directory first, so that rows are stamped with the right zone. */
export const writerService = Effect.fn("writerService")(function* (
  settings: Settings,
  metrics: WritingMetrics,
) {
  const zones = new Zones()
  yield* topologyOf(settings, "writer")
  const caughtUp = Promise.withResolvers<void>()
  const { writer, audit } = metrics
  const lettersOf = (stream: string) => writer.otherLetters.get(stream)
  const directory = runDirectory(
    { maxClockAhead: settings.maxClockAhead },
    zones,
    () => caughtUp.resolve(),
    lettersOf(STREAMS.directory),
  )
  const writers = Effect.gen(function* () {
    yield* Effect.promise(() => caughtUp.promise)
    return yield* runWriters(
      {
        partitions: settings.partitions,
        topology: topologyOptionsOf(settings),
        writing: writingOf(settings),
      },
      zones,
      writer,
    )
  })
  const first = actionStreams(settings.partitions)[0] ?? STREAMS.actions
  const letters = tellOpenLetters(
    () => writer.streams.get(first)?.owner === 1,
    (open) => (writer.openLetters = open),
  )
  const audits = auditHourly(
    {
      owned: () => [...writer.streams].filter(([, { owner }]) => owner === 1).map(([stream]) => stream),
      first,
      maxClockAhead: settings.maxClockAhead,
      quietly: quietlyAs(settings, zones),
    },
    audit,
  )
  return yield* Effect.raceAllFirst([
    directory,
    runAuditLog(undefined, lettersOf(STREAMS.audit)),
    writers,
    audits,
    letters,
  ])
})

/** Where the exports' files are kept. */
export const filesOf = ({ exportS3 }: Settings): Effect.Effect<Files, never, Nats> =>
  exportS3 === undefined
    ? Effect.map(Nats, natsFiles)
    : // The protocol's client is large; who does not need it does not load it.
      Effect.promise(async () => (await import("../api/exports/s3-files.ts")).s3Files(exportS3))

/** Does export jobs, until the scope ends. */
export const exporterService = Effect.fn("exporterService")(function* (
  settings: Settings,
  onAlive: (now: number) => void = () => undefined,
) {
  yield* topologyOf(settings, "other")
  return yield* runExporter({
    files: yield* filesOf(settings),
    ttl: settings.exportTtl,
    lease: settings.exportLease,
    concurrency: settings.exportConcurrency,
    perTenant: settings.exportsPerTenant,
    onAlive,
  })
})

/** The API with its connections, until the scope ends. */
export const apiService = Effect.fn("apiService")(function* (settings: Settings) {
  const services = yield* Layer.build(Layer.merge(clickhouseOf(settings, "api"), natsOf(settings, "api")))
  yield* topologyOf(settings, "other").pipe(Effect.andThen(adoptKeys()), Effect.provide(services))
  return yield* serveApi({
    host: settings.apiHost,
    port: settings.apiPort,
    adminKey: adminKeyOf(settings).key,
    maxClockAhead: settings.maxClockAhead,
    maxAge: MAX_ACTION_AGE,
    files: yield* filesOf(settings).pipe(Effect.provide(services)),
    limits: settings.limits,
    jwt: yield* jwtOf(settings),
  }).pipe(Effect.provide(services))
})

/**
 * Everything in one process: engines where no URL names them, tables, writer and API, until the scope ends. Returns when
 * the API listens, with the fiber of the writing side: to join it is to end with it.
 */
export const wholeStack = Effect.fn("wholeStack")(function* (settings: Settings) {
  yield* startEngines(settings)
  yield* migrateStore(settings)
  yield* apiService(settings)
  yield* exporterService(settings).pipe(
    Effect.provide([clickhouseOf(settings, "exporter"), natsOf(settings, "exporter")]),
    untilThere,
    Effect.forkScoped,
  )
  const metrics = makeWritingMetrics()
  yield* serveWriterHealth(metrics, settings.apiHost, settings.writerPort)
  return yield* writerService(settings, metrics).pipe(
    Effect.provide([clickhouseOf(settings, "writer"), natsOf(settings, "writer")]),
    untilThere,
    Effect.forkScoped,
  )
})
