import { execFileSync } from "node:child_process"
import { copyFileSync, existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Effect } from "effect"
import { ensurePasswords, natsUser, passwordVariables } from "../nats/passwords.ts"
import { writeServices } from "../nats/services-file.ts"
import { ensureTenantUsers, usersFolder } from "../nats/tenants.ts"
import { awaitReady, portIsFree, spawnScoped } from "./child.ts"
import { EngineError } from "./engine-error.ts"

const shared = fileURLToPath(new URL("../nats/nats.conf", import.meta.url))

export interface EmbeddedNats {
  readonly dataDir: string
  readonly port: number
  /** Whether clients without a user may do anything, as is handy on loopback; true when absent. */
  readonly anonymous?: boolean
  /** How many streams the actions are in; 1 when absent. */
  readonly partitions?: number
  /** What to run; `nats-server` of PATH when absent. */
  readonly program?: string
  /** Further lines of configuration. */
  readonly configuration?: ReadonlyArray<string>
}

/** Lays the configuration out as a deployed server has it: the shared file, the tenants' users beside it. */
const writeConfiguration = (
  store: string,
  { dataDir, anonymous = true, partitions = 1, configuration = [] }: EmbeddedNats,
): string => {
  ensureTenantUsers(usersFolder(dataDir))
  writeServices(usersFolder(dataDir), partitions)
  copyFileSync(shared, join(store, "nats.conf"))
  const file = join(store, "embedded.conf")
  const lines = [
    "include ./nats.conf",
    // Here and not by a flag, which a reload would forget.
    `jetstream { store_dir: ${JSON.stringify(store)} }`,
    ...(anonymous ? [`no_auth_user: ${natsUser("operator")}`] : []),
    ...configuration,
  ]
  writeFileSync(file, `${lines.join("\n")}\n`)
  return file
}

/** Before there were users everything was in the server's own account, which can share nothing with others. */
const adoptOldStore = (store: string): void => {
  const old = join(store, "jetstream", "$G")
  const own = join(store, "jetstream", "TIDEMARK")
  if (existsSync(old) && !existsSync(own)) renameSync(old, own)
}

/**
 * nats-server does not watch its parent. This shell does: when its standard input ends, as it does with the parent
 * however that one died, it ends the server.
 */
const GUARD = `exec 3<&0; "$@" 3<&- </dev/null & server=$!; (while read -r _ <&3; do :; done; kill $server 2>/dev/null) & guard=$!; trap 'kill $server 2>/dev/null' TERM INT; wait $server; status=$?; while kill -0 $server 2>/dev/null; do wait $server; status=$?; done; kill $guard 2>/dev/null; exit $status`

const isInstalled = (program: string) =>
  Effect.try({
    try: () => execFileSync(program, ["--version"], { stdio: "pipe" }),
    catch: (cause) =>
      new EngineError({
        engine: "nats",
        reason: "not_installed",
        detail: `${program} cannot be run (${(cause as NodeJS.ErrnoException).code})`,
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
  const { program = "nats-server" } = options
  yield* isInstalled(program)
  yield* portIsFree("nats", options.port, "NATS_PORT")
  const store = join(options.dataDir, "nats")
  mkdirSync(store, { recursive: true })
  adoptOldStore(store)
  const configuration = writeConfiguration(store, options)
  const child = yield* spawnScoped(
    "/bin/sh",
    [
      "-c",
      GUARD,
      "guard",
      program,
      "--config",
      configuration,
      "--addr",
      "127.0.0.1",
      "--port",
      String(options.port),
      "--pid",
      natsPidFile(options.dataDir),
      "--log",
      join(store, "nats-server.log"),
    ],
    {
      env: { ...process.env, ...passwordVariables(ensurePasswords(options.dataDir)) },
      patience: 8000,
    },
  )
  yield* awaitReady("nats", child, () => greets(options.port), 30)
  return child
})
