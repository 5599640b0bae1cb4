import { Context, Effect, Layer } from "effect"
import { ClickHouse } from "#clickhouse"
import { embeddedClickHouse } from "../deploy/engines/clickhouse.ts"
import { freePort } from "./free-port.ts"
import { temporaryFolder } from "./temporary-folder.ts"

/** An embedded ClickHouse of a test's own, empty, for what must not be done to the one that all tests share. */
export class OwnStore extends Context.Service<OwnStore, { readonly url: string }>()(
  "tidemark/test/OwnStore",
) {
  static readonly layer = Layer.effect(
    OwnStore,
    Effect.gen(function* () {
      const dataDir = yield* temporaryFolder
      const [httpPort, tcpPort] = yield* Effect.all([freePort, freePort])
      yield* embeddedClickHouse({ dataDir, httpPort, tcpPort })
      return OwnStore.of({ url: `http://127.0.0.1:${httpPort}` })
    }),
  )

  /** Runs something as a user; `default` may do anything. */
  static readonly as =
    (user: string) =>
    <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      Effect.flatMap(OwnStore, ({ url }) =>
        Effect.provide(effect, ClickHouse.layer({ url, user, password: "" })),
      )
}
