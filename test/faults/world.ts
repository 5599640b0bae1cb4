import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Context, Effect, Layer } from "effect"
import { ClickHouse } from "#clickhouse"
import type { LedgerRecord } from "#schemas/ledger.ts"
import { BUCKETS, STREAMS } from "#schemas/names.ts"
import { Nats } from "#nats/connection.ts"
import { ensureTopology } from "#nats/topology.ts"
import { embeddedClickHouse } from "../../deploy/engines/clickhouse.ts"
import { embeddedNats, natsPidFile } from "../../deploy/engines/nats.ts"
import { migrate, MIGRATIONS_FOLDER } from "../../migrations/migrate.ts"
import { freePort } from "../free-port.ts"
import { temporaryFolder } from "../temporary-folder.ts"
import { makeEngine } from "./engine.ts"
import { until } from "./until.ts"
import { makeWriters } from "./writers.ts"

/** The broker's duplicate window, milliseconds. Short, so that its end is met again and again. */
export const WINDOW = 4000
const DAY = 86_400_000
/** Of the writers of a fault test: small batches and a short lease, so that their ends are met again and again. */
export const WRITER_SETTINGS = {
  DUPLICATE_WINDOW: `${WINDOW}ms`,
  MAX_CLOCK_AHEAD: "1s",
  WRITER_LEASE: "1s",
  BATCH_ROWS: "400",
  BATCH_INTERVAL: "50ms",
} as const

export interface WorldOptions {
  /** Streams of actions; 1 when absent. */
  readonly partitions?: number
  /** The broker's duplicate window, milliseconds; `WINDOW` when absent. */
  readonly window?: number
}

/** The engines and writers of a fault test, each of which can be killed and started again. */
export const makeWorld = Effect.fn("makeWorld")(function* ({
  partitions = 1,
  window = WINDOW,
}: WorldOptions) {
  const dataDir = yield* temporaryFolder
  const [natsPort, httpPort, tcpPort] = yield* Effect.all([freePort, freePort, freePort])
  const natsUrl = `nats://127.0.0.1:${natsPort}`
  const clickhouseUrl = `http://127.0.0.1:${httpPort}`
  const broker = yield* makeEngine(embeddedNats({ dataDir, port: natsPort, partitions }), () =>
    Number(readFileSync(natsPidFile(dataDir), "utf8")),
  )
  const store = yield* makeEngine(
    embeddedClickHouse({ dataDir, httpPort, tcpPort }),
    (child) => child.process.pid ?? 0,
  )
  const startWriter = yield* makeWriters(
    {
      NATS_URL: natsUrl,
      CLICKHOUSE_URL: clickhouseUrl,
      TIDEMARK_DATA_DIR: dataDir,
      TIDEMARK_PARTITIONS: String(partitions),
      ...WRITER_SETTINGS,
      DUPLICATE_WINDOW: `${window}ms`,
    },
    // Named by whoever looks for what went wrong.
    process.env["FAULTS_LOG"] ?? join(dataDir, "writers.log"),
  )

  const services = yield* Layer.build(
    Layer.mergeAll(
      ClickHouse.layer({ url: clickhouseUrl, user: "tidemark_migrator", password: "" }),
      Nats.layer({ url: natsUrl, name: "faults" }),
    ),
  )
  yield* migrate(MIGRATIONS_FOLDER).pipe(Effect.provide(services))
  yield* ensureTopology({
    duplicateWindow: window,
    actionsMaxAge: 30 * DAY,
    replicas: 1,
    partitions,
  }).pipe(Effect.provide(services))

  /** The writer's record as the bucket holds it; undefined when there is none. */
  const ledger = Effect.gen(function* () {
    const { kv } = yield* Nats
    const found = yield* Effect.tryPromise(async () => (await kv.open(BUCKETS.ledger)).get(STREAMS.actions))
    return found?.operation === "PUT" ? found.json<LedgerRecord>() : undefined
  }).pipe(Effect.provide(services))

  /** What is not committed yet, and how far the commits came. The broker may be on its way up. */
  const waiting = Effect.gen(function* () {
    const { manager } = yield* Nats
    const { state } = yield* Effect.tryPromise(() => manager.streams.info(STREAMS.actions))
    const committed = (yield* ledger)?.committed ?? -1
    return { committed, left: state.last_seq - committed }
  }).pipe(
    Effect.orElseSucceed(() => ({ committed: -1, left: 1 })),
    Effect.provide(services),
  )

  /** Waits until everything in the stream is committed, for as long as the commits go on. */
  const quiet = Effect.gen(function* () {
    for (;;) {
      const before = yield* waiting
      if (before.left <= 0) return
      yield* until(
        `a commit beyond ${before.committed}, with ${before.left} to go`,
        Effect.map(waiting, ({ committed, left }) => left <= 0 || committed > before.committed),
        60,
      )
    }
  })

  return {
    dataDir,
    natsUrl,
    clickhouseUrl,
    services,
    broker,
    store,
    startWriter,
    ledger,
    quiet,
  }
})

/** A world of its own for a test file, with clients of both engines. */
export class World extends Context.Service<World, Effect.Success<ReturnType<typeof makeWorld>>>()(
  "tidemark/test/World",
) {
  static readonly layerOf = (options: WorldOptions) =>
    Layer.effectContext(Effect.map(makeWorld(options), (world) => Context.add(world.services, World, world)))
  static readonly layer = World.layerOf({})
}
