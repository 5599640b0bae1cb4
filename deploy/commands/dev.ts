import { Console, Effect, Fiber } from "effect"
import { Command } from "effect/cli"
import { adminKeyOf } from "../admin-key.ts"
import { observing } from "../observing.ts"
import { wholeStack } from "../services.ts"
import { clickhouseUrlOf, natsUrlOf, type Settings } from "../settings.ts"
import { settings } from "./settings.ts"

/** Where everything is. */
export const places = (current: Settings): string => {
  const { key, file } = adminKeyOf(current)
  return [
    `  API         http://${current.apiHost}:${current.apiPort}  (/docs, /openapi.json, /metrics)`,
    `  writer      http://${current.apiHost}:${current.writerPort}  (/readyz, /metrics)`,
    `  NATS        ${natsUrlOf(current)}`,
    `  ClickHouse  ${clickhouseUrlOf(current)}${current.clickhouseUrl === undefined ? `, native TCP on ${current.clickhouseTcpPort}, user tidemark_reader` : ""}`,
    `  data        ${current.dataDir}`,
    ...(file === undefined ? [] : [`  operator    ${key}  (kept in ${file}; or set TIDEMARK_ADMIN_KEY)`]),
  ].join("\n")
}

export const dev = Command.make("dev", {}, () =>
  Effect.gen(function* () {
    const current = yield* settings
    yield* Effect.gen(function* () {
      const writing = yield* wholeStack(current)
      yield* Console.log(`Tidemark is up; Ctrl-C stops it.\n${places(current)}`)
      yield* Console.log("  next        npm run -s tidemark -- keys create --tenant acme --role super_admin")
      yield* Fiber.join(writing)
    }).pipe(Effect.provide(observing(current)))
  }).pipe(Effect.scoped),
).pipe(Command.withDescription("Run everything in one process: engines, writer and API"))
