import { cpSync, rmSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { World } from "./world.ts"

type Engine = "nats" | "clickhouse"

/** Stops an engine, does something to its folder, and starts it again. */
const whileStopped = Effect.fnUntraced(function* (engine: Engine, change: (folder: string) => void) {
  const { broker, store, dataDir } = yield* World
  const which = engine === "nats" ? broker : store
  yield* which.kill("SIGTERM")
  change(join(dataDir, engine))
  yield* which.start
})

const copyTree = (from: string, to: string) => {
  rmSync(to, { recursive: true, force: true })
  cpSync(from, to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true })
}

/** Keeps a copy of everything that an engine has on disk, as a backup would. */
export const copyOf = (engine: Engine) => whileStopped(engine, (folder) => copyTree(folder, `${folder}-copy`))

/** Puts the copy back; what came after it is lost. */
export const putBack = (engine: Engine) =>
  whileStopped(engine, (folder) => copyTree(`${folder}-copy`, folder))
