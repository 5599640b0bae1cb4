import { Effect } from "effect"
import { ClickHouse } from "#clickhouse"
import { Nats } from "#nats/connection.ts"
import { ensureTopology } from "#nats/topology.ts"
import { migrate, MIGRATIONS_FOLDER } from "../migrations/migrate.ts"
import { runDirectory } from "../pipeline/directory/consumer.ts"
import { makeWriterMetrics, type WriterMetrics } from "../pipeline/writer/metrics.ts"
import { runWriter } from "../pipeline/writer/writer.ts"
import { Zones } from "../pipeline/writer/zones.ts"
import { STREAMS } from "#schemas/names.ts"
import { clickhouseUrlOf, natsUrlOf, type Settings } from "./settings.ts"

/** The store's user of each service, as deploy/clickhouse/users.xml has them. */
export type Role = "migrator" | "writer" | "api" | "reader"

export const clickhouseOf = (settings: Settings, role: Role) =>
  ClickHouse.layer({
    url: clickhouseUrlOf(settings),
    user: settings.clickhouseUser ?? `tidemark_${role}`,
    password: settings.clickhousePassword,
  })

export const natsOf = (settings: Settings, name: string) =>
  Nats.layer({
    url: natsUrlOf(settings),
    name: `tidemark-${name}`,
    ...(settings.natsUser === undefined ? {} : { user: settings.natsUser }),
    ...(settings.natsPassword === undefined ? {} : { password: settings.natsPassword }),
  })

export const topologyOf = (settings: Settings) =>
  ensureTopology({
    duplicateWindow: settings.duplicateWindow,
    actionsMaxAge: settings.streamRetention,
    replicas: settings.natsReplicas,
  })

/** Brings the store's tables up to date; prints nothing. */
export const migrateStore = (settings: Settings) =>
  migrate(MIGRATIONS_FOLDER).pipe(Effect.provide(clickhouseOf(settings, "migrator")))

/** The writing side in one process: the directory first, so that rows are stamped with the right zone. */
export const writerService = Effect.fn("writerService")(function* (
  settings: Settings,
  metrics: WriterMetrics = makeWriterMetrics(),
) {
  const zones = new Zones()
  yield* topologyOf(settings)
  const caughtUp = Promise.withResolvers<void>()
  const directory = runDirectory({ maxClockAhead: settings.maxClockAhead }, zones, () => caughtUp.resolve())
  const writer = Effect.gen(function* () {
    yield* Effect.promise(() => caughtUp.promise)
    return yield* runWriter(
      {
        stream: STREAMS.actions,
        duplicateWindow: settings.duplicateWindow,
        maxClockAhead: settings.maxClockAhead,
        lease: settings.writerLease,
        batch: { rows: settings.batchRows, bytes: settings.batchBytes, interval: settings.batchInterval },
      },
      zones,
      metrics,
    )
  })
  return yield* Effect.raceFirst(directory, writer)
})
