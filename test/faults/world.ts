import { type ChildProcess, spawn } from "node:child_process"
import { createWriteStream } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Context, Effect, Exit, Layer, Schedule, Scope } from "effect"
import { ClickHouse } from "#clickhouse"
import { LedgerRecord } from "#schemas/ledger.ts"
import { BUCKETS, STREAMS } from "#schemas/names.ts"
import { Nats } from "#nats/connection.ts"
import { ensureTopology } from "#nats/topology.ts"
import { embeddedClickHouse } from "../../deploy/engines/clickhouse.ts"
import { embeddedNats } from "../../deploy/engines/nats.ts"
import { migrate, MIGRATIONS_FOLDER } from "../../migrations/migrate.ts"
import { freePort } from "../free-port.ts"
import { temporaryFolder } from "../temporary-folder.ts"

const CLI = fileURLToPath(new URL("../../deploy/cli.ts", import.meta.url))

/** Milliseconds. Short, so that its end is met again and again. */
export const WINDOW = 4000
const DAY = 86_400_000

/** The engines and writers of a fault test, each of which can be killed and started again. */
export const makeWorld = Effect.gen(function* () {
  const dataDir = yield* temporaryFolder
  const [natsPort, httpPort, tcpPort] = yield* Effect.all([freePort, freePort, freePort])
  const natsUrl = `nats://127.0.0.1:${natsPort}`
  const clickhouseUrl = `http://127.0.0.1:${httpPort}`
  yield* embeddedNats({ dataDir, port: natsPort })

  let store: { readonly scope: Scope.Closeable; readonly process: ChildProcess } | undefined
  const startStore = Effect.gen(function* () {
    const scope = yield* Scope.make()
    // The port of a process that was just killed may be taken for an instant.
    const child = yield* embeddedClickHouse({ dataDir, httpPort, tcpPort }).pipe(
      Scope.provide(scope),
      Effect.retry(Schedule.spaced("100 millis").pipe(Schedule.upTo({ times: 50 }))),
    )
    store = { scope, process: child.process }
  })
  const killStore = Effect.gen(function* () {
    const current = store
    if (current === undefined) return
    store = undefined
    const ended = new Promise((resolve) => current.process.once("exit", resolve))
    current.process.kill("SIGKILL")
    yield* Effect.promise(() => ended)
    yield* Scope.close(current.scope, Exit.void)
  })
  yield* startStore
  yield* Effect.addFinalizer(() => killStore)

  const writers = new Set<ChildProcess>()
  const log = createWriteStream(join(dataDir, "writers.log"), { flags: "a" })
  const startWriter = (env: NodeJS.ProcessEnv = {}) =>
    Effect.gen(function* () {
      const port = yield* freePort
      const child = spawn(process.execPath, [CLI, "writer"], {
        stdio: ["ignore", "ignore", "pipe"],
        env: {
          ...process.env,
          NATS_URL: natsUrl,
          CLICKHOUSE_URL: clickhouseUrl,
          TIDEMARK_DATA_DIR: dataDir,
          WRITER_PORT: String(port),
          DUPLICATE_WINDOW: `${WINDOW}ms`,
          MAX_CLOCK_AHEAD: "1s",
          WRITER_LEASE: "1s",
          BATCH_ROWS: "400",
          BATCH_INTERVAL: "50ms",
          ...env,
        },
      })
      child.stderr.pipe(log, { end: false })
      writers.add(child)
      child.once("exit", () => writers.delete(child))
      return child
    })
  const kill = (child: ChildProcess, signal: NodeJS.Signals = "SIGKILL") =>
    Effect.promise(
      () =>
        new Promise<void>((resolve) => {
          if (child.exitCode !== null || child.signalCode !== null) resolve()
          else {
            child.once("exit", () => resolve())
            child.kill(signal)
          }
        }),
    )
  yield* Effect.addFinalizer(() => Effect.forEach([...writers], (child) => kill(child), { discard: true }))

  const layers = Layer.mergeAll(
    ClickHouse.layer({ url: clickhouseUrl, user: "tidemark_migrator", password: "" }),
    Nats.layer({ url: natsUrl, name: "faults" }),
  )
  const services = yield* Layer.build(layers)
  yield* migrate(MIGRATIONS_FOLDER).pipe(Effect.provide(services))
  yield* ensureTopology({ duplicateWindow: WINDOW, actionsMaxAge: 30 * DAY, replicas: 1 }).pipe(
    Effect.provide(services),
  )

  /** Waits until everything in the stream is committed and nothing is in doubt. */
  const quiet = Effect.gen(function* () {
    const { manager, kv } = yield* Nats
    return yield* Effect.promise(async () => {
      const { state } = await manager.streams.info(STREAMS.actions)
      const found = await (await kv.open(BUCKETS.ledger)).get(STREAMS.actions)
      return found !== null && found.json<typeof LedgerRecord.Type>().committed >= state.last_seq
    })
  }).pipe(
    Effect.provide(services),
    Effect.repeat({ until: (isQuiet) => isQuiet, schedule: Schedule.spaced("100 millis") }),
    Effect.timeout("60 seconds"),
  )

  return { dataDir, natsUrl, clickhouseUrl, services, startStore, killStore, startWriter, kill, quiet, writers }
})

/** A world of its own for a test file. */
export class World extends Context.Service<World, Effect.Success<typeof makeWorld>>()("tidemark/test/World") {
  static readonly layer = Layer.effect(World, makeWorld)
}
