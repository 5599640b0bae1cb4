import { readFileSync } from "node:fs"
import { Context, Effect, Layer } from "effect"
import { Nats } from "#nats/connection.ts"
import { embeddedNats, natsPidFile } from "../deploy/engines/nats.ts"
import { makeEngine } from "./faults/engine.ts"
import { freePort } from "./free-port.ts"
import { temporaryFolder } from "./temporary-folder.ts"

const make = Effect.gen(function* () {
  const dataDir = yield* temporaryFolder
  const port = yield* freePort
  const engine = yield* makeEngine(embeddedNats({ dataDir, port }), () =>
    Number(readFileSync(natsPidFile(dataDir), "utf8")),
  )
  return { ...engine, url: `nats://127.0.0.1:${port}` }
})

/** A NATS server of a test's own, empty, which may be killed and started again. */
export class OwnBroker extends Context.Service<OwnBroker, Effect.Success<typeof make>>()(
  "tidemark/test/OwnBroker",
) {
  /** With a client of it. */
  static readonly layer = Layer.unwrap(
    Effect.map(OwnBroker, ({ url }) => Nats.layer({ url, name: "test" })),
  ).pipe(Layer.provideMerge(Layer.effect(OwnBroker, make)))
}
