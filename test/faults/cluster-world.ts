import { join } from "node:path"
import { Effect, Layer, Schedule } from "effect"
import { ClickHouse } from "#clickhouse"
import type { LedgerRecord } from "#schemas/ledger.ts"
import { BUCKETS } from "#schemas/names.ts"
import { actionStreams } from "#schemas/partitions.ts"
import { Nats } from "#nats/connection.ts"
import { ensureTopology } from "#nats/topology.ts"
import { embeddedClickHouse } from "../../deploy/engines/clickhouse.ts"
import { natsUser } from "../../deploy/nats/passwords.ts"
import { readSettings } from "../../deploy/settings.ts"
import { migrate, MIGRATIONS_FOLDER } from "../../migrations/migrate.ts"
import { makeBrokers } from "./brokers.ts"
import { makeEngine } from "./engine.ts"
import { openLink } from "./proxy.ts"
import { freePort } from "../free-port.ts"
import { WINDOW, WRITER_SETTINGS } from "./world.ts"
import { makeWriters } from "./writers.ts"

const DAY = 86_400_000
/** Without a commit for this long something hangs. Milliseconds. */
const STUCK = 60_000
/** Without an answer for this long the brokers hang, as they do now and then when two of three were killed (2.10.27). */
const UNANSWERED = 40_000

export interface ClusterOptions {
  readonly dataDir: string
  readonly servers: number
  readonly program: string
  readonly writers: number
  readonly partitions: number
}

const urlOf = (ports: ReadonlyArray<{ readonly port: number }>) =>
  ports.map(({ port }) => `nats://127.0.0.1:${port}`).join(",")

/** Until the servers have elected their leaders. */
const patience = Schedule.spaced("250 millis").pipe(Schedule.upTo({ times: 120 }))

/**
 * Several writers, a cluster of NATS servers and a store, each of which can be killed, stopped and started again, and
 * between them links that can be disturbed. Whoever looks from outside has connections of its own.
 */
export const makeClusterWorld = Effect.fn("makeClusterWorld")(function* (options: ClusterOptions) {
  const { dataDir } = options
  const brokers = yield* makeBrokers(dataDir, options)
  const [httpPort, tcpPort] = yield* Effect.all([freePort, freePort])
  const store = yield* makeEngine(
    embeddedClickHouse({ dataDir, httpPort, tcpPort }),
    (child) => child.process.pid ?? 0,
  )
  const common = {
    TIDEMARK_DATA_DIR: dataDir,
    NATS_REPLICAS: String(options.servers),
    TIDEMARK_PARTITIONS: String(options.partitions),
    ...WRITER_SETTINGS,
    // Each piece of a doubtful range is a consumer, which a cluster makes slowly.
    BATCH_ROWS: "1000",
  }
  /** As an operator's command has them, with a straight way to the engines. */
  const settings = readSettings({
    ...common,
    CLICKHOUSE_URL: `http://127.0.0.1:${httpPort}`,
    NATS_URL: urlOf(brokers.servers),
  })
  /** The streams that the writers share out among themselves. */
  const streams = actionStreams(settings.partitions)
  const services = yield* Layer.build(
    Layer.mergeAll(
      ClickHouse.layer({ url: `http://127.0.0.1:${httpPort}`, user: "tidemark_migrator", password: "" }),
      Nats.layer({ url: urlOf(brokers.servers), name: "faults" }),
    ),
  ).pipe(Effect.retry(patience))
  yield* migrate(MIGRATIONS_FOLDER).pipe(Effect.provide(services))
  yield* ensureTopology({
    duplicateWindow: WINDOW,
    actionsMaxAge: 30 * DAY,
    replicas: options.servers,
    partitions: settings.partitions,
  }).pipe(Effect.retry(patience), Effect.provide(services))

  const linksToBrokers = Effect.all(brokers.servers.map(({ port }) => openLink(port)))
  const writers = yield* Effect.all(
    Array.from({ length: options.writers }, (_, n) =>
      Effect.gen(function* () {
        const toStore = yield* openLink(httpPort)
        const toBrokers = yield* linksToBrokers
        const start = yield* makeWriters(
          {
            ...common,
            CLICKHOUSE_URL: `http://127.0.0.1:${toStore.port}`,
            NATS_URL: urlOf(toBrokers),
            NATS_USER: natsUser("writer"),
            NATS_PASSWORD: brokers.password,
          },
          join(dataDir, `writer-${n}.log`),
        )
        return { name: `writer ${n}`, toStore, toBrokers, start: start() }
      }),
    ),
  )
  const producer = { toBrokers: yield* linksToBrokers }

  /** The writers' record of a stream as the bucket holds it; undefined when there is none. */
  const ledger = Effect.fnUntraced(function* (stream: string) {
    const { kv } = yield* Nats
    const found = yield* Effect.tryPromise(async () => (await kv.open(BUCKETS.ledger)).get(stream))
    return found?.operation === "PUT" ? found.json<LedgerRecord>() : undefined
  })

  /** What is not committed yet, and how far the commits came; undefined while the brokers do not say. */
  const waiting = Effect.gen(function* () {
    const { manager } = yield* Nats
    let committed = 0
    let left = 0
    for (const stream of streams) {
      const { state } = yield* Effect.tryPromise(() => manager.streams.info(stream))
      const record = yield* ledger(stream)
      committed += record?.committed ?? 0
      left += state.last_seq - (record?.committed ?? 0)
    }
    return { committed, left }
  }).pipe(
    Effect.orElseSucceed(() => ({ committed: 0, left: Number.POSITIVE_INFINITY })),
    Effect.provide(services),
  )

  /** Waits until everything in the streams is committed, for as long as the commits go on; says when they do not. */
  const quiet = Effect.gen(function* () {
    let best = -1
    let movedAt = Date.now()
    let answeredAt = Date.now()
    let wereStartedAgain = false
    for (;;) {
      const { committed, left } = yield* waiting
      if (left <= 0) return undefined
      if (committed > best) {
        best = committed
        movedAt = Date.now()
      }
      if (left < Number.POSITIVE_INFINITY) answeredAt = Date.now()
      else if (!wereStartedAgain) {
        // What hangs are the brokers, not the writers.
        movedAt = Date.now()
        if (Date.now() - answeredAt > UNANSWERED) {
          wereStartedAgain = true
          yield* brokers.startAllAgain
          answeredAt = Date.now()
        }
      }
      if (Date.now() - movedAt > STUCK)
        return `no commit beyond ${best} for ${STUCK / 1000} s, with ${left} to go`
      yield* Effect.sleep("50 millis")
    }
  })

  return {
    dataDir,
    settings,
    streams,
    services,
    brokers,
    store,
    writers,
    producer,
    producerUrl: urlOf(producer.toBrokers),
    quiet,
  }
})

export type ClusterWorld = Effect.Success<ReturnType<typeof makeClusterWorld>>
