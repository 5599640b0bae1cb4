import { copyFileSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Effect } from "effect"
import { endWhenUsersChange } from "../bi/restart.ts"
import { biUsersText, installBiUsers } from "../bi/users-file.ts"
import { awaitReady, type Child, portIsFree, spawnScoped } from "./child.ts"

const file = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

export interface EmbeddedClickHouse {
  readonly dataDir: string
  readonly httpPort: number
  readonly tcpPort: number
}

/** Lays the configuration out as a server has it: base files, and Tidemark's beside them in `*.d`. */
const writeConfiguration = (dir: string): string => {
  mkdirSync(join(dir, "config.d"), { recursive: true })
  mkdirSync(join(dir, "users.d"), { recursive: true })
  copyFileSync(file("../clickhouse/config.xml"), join(dir, "config.d", "tidemark.xml"))
  copyFileSync(file("../clickhouse/embedded-users.xml"), join(dir, "users.xml"))
  copyFileSync(file("../clickhouse/users.xml"), join(dir, "users.d", "tidemark.xml"))
  const config = join(dir, "config.xml")
  const escaped = join(dir, "users.xml").replaceAll("&", "&amp;").replaceAll("<", "&lt;")
  writeFileSync(config, `<clickhouse><users_config>${escaped}</users_config></clickhouse>\n`)
  return config
}

/** Users of the embedded server have no passwords unless the environment sets them; it listens on loopback alone. */
const withPasswords = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  TIDEMARK_MIGRATOR_PASSWORD: "",
  TIDEMARK_WRITER_PASSWORD: "",
  TIDEMARK_API_PASSWORD: "",
  TIDEMARK_EXPORTER_PASSWORD: "",
  TIDEMARK_READER_PASSWORD: "",
  TIDEMARK_ACCESS_PASSWORD: "",
  ...env,
})

/** Starts a real ClickHouse server in a child process; it ends with the scope and with this process. */
export const embeddedClickHouse = Effect.fn("embeddedClickHouse")(function* (options: EmbeddedClickHouse) {
  yield* portIsFree("clickhouse", options.httpPort, "CLICKHOUSE_HTTP_PORT")
  yield* portIsFree("clickhouse", options.tcpPort, "CLICKHOUSE_TCP_PORT")
  const dir = join(options.dataDir, "clickhouse")
  const config = writeConfiguration(join(dir, "configuration"))
  const users = biUsersText(options.dataDir)
  installBiUsers(options.dataDir, users)
  const child: Child = yield* spawnScoped(
    process.execPath,
    [
      file("./clickhouse-server.ts"),
      join(dir, "store"),
      config,
      String(options.httpPort),
      String(options.tcpPort),
    ],
    { env: withPasswords(process.env), patience: 8000 },
  )
  const ping = `http://127.0.0.1:${options.httpPort}/ping`
  yield* awaitReady("clickhouse", child, async () => (await fetch(ping)).ok, 60)
  yield* Effect.forkScoped(endWhenUsersChange(child, options.dataDir, users))
  return child
})
