import { readFileSync } from "node:fs"
import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { freePort } from "../../test/free-port.ts"
import { temporaryFolder } from "../../test/temporary-folder.ts"
import { embeddedNats, natsPidFile } from "./nats.ts"
import { supervise } from "./supervise.ts"

const pidIn = (file: string): number => {
  try {
    return Number(readFileSync(file, "utf8"))
  } catch {
    return 0
  }
}

it.live("an engine that was killed is started again", () =>
  Effect.gen(function* () {
    const dataDir = yield* temporaryFolder
    const port = yield* freePort
    yield* supervise("nats-server", embeddedNats({ dataDir, port }))
    const first = pidIn(natsPidFile(dataDir))
    expect(first).toBeGreaterThan(0)
    process.kill(first, "SIGKILL")
    yield* Effect.sync(() => pidIn(natsPidFile(dataDir))).pipe(
      Effect.delay("50 millis"),
      Effect.repeat({ until: (pid) => pid > 0 && pid !== first }),
      Effect.timeout("20 seconds"),
    )
    // And it is there: signal 0 asks only that.
    expect(process.kill(pidIn(natsPidFile(dataDir)), 0)).toBe(true)
  }).pipe(Effect.scoped),
)

it.live("what keeps an engine from its first start is the caller's error", () =>
  Effect.gen(function* () {
    const dataDir = yield* temporaryFolder
    const port = yield* freePort
    yield* supervise("nats-server", embeddedNats({ dataDir, port }))
    const error = yield* Effect.flip(
      supervise("another", embeddedNats({ dataDir, port })).pipe(Effect.scoped),
    )
    expect(error).toMatchObject({ _tag: "EngineError", reason: "port_in_use" })
  }).pipe(Effect.scoped),
)
