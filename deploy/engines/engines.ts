import { Effect } from "effect"
import type { Settings } from "../settings.ts"
import { embeddedClickHouse } from "./clickhouse.ts"
import { embeddedNats } from "./nats.ts"

/** Starts the engines that no URL names. */
export const startEngines = Effect.fn("startEngines")(function* (settings: Settings) {
  yield* Effect.all(
    [
      settings.natsUrl === undefined
        ? embeddedNats({ dataDir: settings.dataDir, port: settings.natsPort })
        : Effect.void,
      settings.clickhouseUrl === undefined
        ? embeddedClickHouse({
            dataDir: settings.dataDir,
            httpPort: settings.clickhouseHttpPort,
            tcpPort: settings.clickhouseTcpPort,
          })
        : Effect.void,
    ],
    { concurrency: "unbounded" },
  )
})
