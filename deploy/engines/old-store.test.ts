import { spawn } from "node:child_process"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { jetstream, jetstreamManager } from "@nats-io/jetstream"
import { connect } from "@nats-io/transport-node"
import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { freePort } from "../../test/free-port.ts"
import { eventually } from "../../test/processes.ts"
import { temporaryFolder } from "../../test/temporary-folder.ts"
import { embeddedNats } from "./nats.ts"

it.live("what a server without accounts stored is there", () =>
  Effect.gen(function* () {
    const dataDir = yield* temporaryFolder
    const port = yield* freePort
    const servers = `nats://127.0.0.1:${port}`
    const store = join(dataDir, "nats")
    mkdirSync(store)
    const old = spawn("nats-server", ["-a", "127.0.0.1", "-p", String(port), "--jetstream", "-sd", store], {
      stdio: "ignore",
    })
    yield* eventually(() =>
      connect({ servers, reconnect: false }).then(
        async (connection) => {
          await (await jetstreamManager(connection)).streams.add({ name: "KEPT", subjects: ["kept"] })
          await jetstream(connection).publish("kept", "1")
          await connection.close()
          return true
        },
        () => false,
      ),
    )
    yield* Effect.promise(
      () =>
        new Promise((resolve) => {
          old.once("exit", resolve)
          old.kill()
        }),
    )
    yield* embeddedNats({ dataDir, port })
    const messages = yield* Effect.promise(async () => {
      const connection = await connect({ servers })
      const { state } = await (await jetstreamManager(connection)).streams.info("KEPT")
      await connection.close()
      return state.messages
    })
    expect(messages).toBe(1)
  }),
)
