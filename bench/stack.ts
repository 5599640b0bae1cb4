import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Effect, Layer } from "effect"
import { ClickHouse } from "#clickhouse"
import { Nats } from "#nats/connection.ts"
import { ensureTopology } from "#nats/topology.ts"
import { startEngines } from "../deploy/engines/engines.ts"
import { readSettings } from "../deploy/settings.ts"
import { migrate, MIGRATIONS_FOLDER } from "../migrations/migrate.ts"
import { freePort } from "../test/free-port.ts"

const CLI = fileURLToPath(new URL("../deploy/cli.ts", import.meta.url))

/** Both engines in an empty folder, migrated, for one figure; gone with the scope. */
export const makeStack = Effect.gen(function* () {
  const dataDir = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "tidemark-bench-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true })),
  )
  const [nats, http, tcp, writer, api] = yield* Effect.all([freePort, freePort, freePort, freePort, freePort])
  const env = {
    TIDEMARK_DATA_DIR: dataDir,
    NATS_PORT: String(nats),
    CLICKHOUSE_HTTP_PORT: String(http),
    CLICKHOUSE_TCP_PORT: String(tcp),
    WRITER_PORT: String(writer),
    API_PORT: String(api),
    TIDEMARK_ADMIN_KEY: "bench-operator-key",
    LOG_LEVEL: "warn",
  }
  const settings = readSettings(env)
  yield* startEngines(settings)
  const services = yield* Layer.build(
    Layer.mergeAll(
      ClickHouse.layer({ url: `http://127.0.0.1:${http}`, user: "tidemark_migrator", password: "" }),
      Nats.layer({ url: `nats://127.0.0.1:${nats}`, name: "bench" }),
    ),
  )
  // The bare loop's tables are the bench's own, so the embedded server's unrestricted user makes them.
  const owner = yield* Layer.build(
    ClickHouse.layer({ url: `http://127.0.0.1:${http}`, user: "default", password: "" }),
  )
  yield* migrate(MIGRATIONS_FOLDER).pipe(Effect.provide(services))
  yield* ensureTopology({
    duplicateWindow: settings.duplicateWindow,
    actionsMaxAge: settings.streamRetention,
    replicas: 1,
    partitions: settings.partitions,
  }).pipe(Effect.provide(services))

  /** Runs a command of the bin as a process of its own until the scope ends. */
  const command = (...args: ReadonlyArray<string>) =>
    Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, ["--max-semi-space-size=4", CLI, ...args], {
          env: { ...process.env, ...env },
          stdio: ["ignore", "ignore", "inherit"],
        }),
      ),
      (child) =>
        Effect.promise(
          () =>
            new Promise<void>((resolve) => {
              if (child.exitCode !== null || child.signalCode !== null) return resolve()
              child.once("exit", () => resolve())
              child.kill("SIGTERM")
            }),
        ),
    )
  return { settings, services, owner, command, cli: CLI, env }
})

/** The most memory that a process ever had resident, in MB. */
export const peakMemory = (pid: number): number =>
  Math.round(Number(/VmHWM:\s+(\d+)/u.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024)
