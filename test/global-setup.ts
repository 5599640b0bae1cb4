import { Effect, Exit, Layer, Scope } from "effect"
import type { TestProject } from "vitest/node"
import { ClickHouse } from "#clickhouse"
import { Nats } from "#nats/connection.ts"
import { ensureTopology } from "#nats/topology.ts"
import { migrate, MIGRATIONS_FOLDER } from "../migrations/migrate.ts"
import { containers } from "./targets/containers.ts"
import { embedded } from "./targets/embedded.ts"

declare module "vitest" {
  // What every test may `inject`.
  interface ProvidedContext {
    natsUrl: string
    clickhouseUrl: string
  }
}

/** The duplicate window of the streams in tests: short enough to wait for its end. */
const DUPLICATE_WINDOW = 5000
const STREAM_RETENTION = 30 * 86_400_000

const start = Effect.gen(function* () {
  const engines = yield* process.env["TEST_TARGET"] === "containers" ? containers : embedded
  const store = ClickHouse.layer({ url: engines.clickhouseUrl, user: "tidemark_migrator", password: "" })
  const broker = Nats.layer({ url: engines.natsUrl, name: "tests" })
  yield* Effect.all([
    migrate(MIGRATIONS_FOLDER),
    ensureTopology({
      duplicateWindow: DUPLICATE_WINDOW,
      actionsMaxAge: STREAM_RETENTION,
      replicas: 1,
      partitions: 1,
    }),
  ]).pipe(Effect.provide(Layer.merge(store, broker)))
  return engines
})

/** Both engines, once for a run: real ones, with the store migrated and the streams there. */
export const setup = async (project: TestProject): Promise<() => Promise<void>> => {
  const scope = Effect.runSync(Scope.make())
  const stop = () => Effect.runPromise(Scope.close(scope, Exit.void))
  try {
    const { natsUrl, clickhouseUrl } = await Effect.runPromise(Scope.provide(start, scope))
    project.provide("natsUrl", natsUrl)
    project.provide("clickhouseUrl", clickhouseUrl)
  } catch (error) {
    await stop()
    throw error
  }
  return stop
}
