import { execFileSync } from "node:child_process"
import { mkdirSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Effect } from "effect"
import { awaitReady, portIsFree, spawnScoped } from "./child.ts"
import { EngineError } from "./engine-error.ts"

const configuration = fileURLToPath(new URL("../nats/nats.conf", import.meta.url))

export interface EmbeddedNats {
  readonly dataDir: string
  readonly port: number
}

/**
 * nats-server does not watch its parent. This shell does: when its standard input ends, as it does with the parent
 * however that one died, it ends the server.
 */
const GUARD = `exec 3<&0; "$@" 3<&- </dev/null & server=$!; (while read -r _ <&3; do :; done; kill $server 2>/dev/null) & guard=$!; trap 'kill $server 2>/dev/null' TERM INT; wait $server; status=$?; while kill -0 $server 2>/dev/null; do wait $server; status=$?; done; kill $guard 2>/dev/null; exit $status`

const isInstalled = Effect.try({
  try: () => execFileSync("nats-server", ["--version"], { stdio: "pipe" }),
  catch: (cause) =>
    new EngineError({
      engine: "nats",
      reason: "not_installed",
      detail: `nats-server cannot be run (${(cause as NodeJS.ErrnoException).code})`,
      hint: "Run `npm run setup`, or set NATS_URL to a server that runs elsewhere.",
    }),
})

/** True as soon as the server greets: it sends INFO to whoever connects. */
const greets = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, "127.0.0.1")
    socket.once("data", (data) => {
      resolve(data.toString().startsWith("INFO"))
      socket.destroy()
    })
    socket.once("error", () => resolve(false))
  })

/** Path of the file that holds the server's process id. */
export const natsPidFile = (dataDir: string): string => join(dataDir, "nats", "nats-server.pid")

/** Starts a real nats-server with JetStream; it ends with the scope and with this process. */
export const embeddedNats = Effect.fn("embeddedNats")(function* (options: EmbeddedNats) {
  yield* isInstalled
  yield* portIsFree("nats", options.port, "NATS_PORT")
  const store = join(options.dataDir, "nats")
  mkdirSync(store, { recursive: true })
  const child = yield* spawnScoped(
    "/bin/sh",
    [
      "-c",
      GUARD,
      "guard",
      "nats-server",
      "--config",
      configuration,
      "--addr",
      "127.0.0.1",
      "--port",
      String(options.port),
      "--jetstream",
      "--store_dir",
      store,
      "--pid",
      natsPidFile(options.dataDir),
      "--log",
      join(store, "nats-server.log"),
    ],
    { patience: 8000 },
  )
  yield* awaitReady("nats", child, () => greets(options.port), 30)
  return child
})
