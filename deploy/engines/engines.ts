import { Effect } from "effect"
import type { Settings } from "../settings.ts"
import { embeddedClickHouse } from "./clickhouse.ts"
import { embeddedNats } from "./nats.ts"
import { supervise } from "./supervise.ts"

/** Starts the engines that no URL names, and keeps them running. */
export const startEngines = Effect.fn("startEngines")(function* (settings: Settings) {
  yield* Effect.all(
    [
      settings.natsUrl === undefined
        ? supervise(
            "nats-server",
            embeddedNats({
              dataDir: settings.dataDir,
              port: settings.natsPort,
              anonymous: settings.natsAnonymous,
              partitions: settings.partitions,
            }),
          )
        : Effect.void,
      settings.clickhouseUrl === undefined
        ? supervise(
            "ClickHouse",
            embeddedClickHouse({
              dataDir: settings.dataDir,
              httpPort: settings.clickhouseHttpPort,
              tcpPort: settings.clickhouseTcpPort,
            }),
          )
        : Effect.void,
    ],
    { concurrency: "unbounded" },
  )
})
