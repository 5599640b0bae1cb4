import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { getRequestListener } from "@hono/node-server"
import type { ClickHouse } from "#clickhouse"
import { Effect, Schema, type Scope } from "effect"
import { Nats } from "#nats/connection.ts"
import { Publisher } from "#nats/publisher.ts"
import { type AppOptions, makeApp } from "./app.ts"
import { answerUnreadable } from "./http/unreadable.ts"

export interface ApiOptions extends AppOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
}

/** The API could not listen; `hint` is the one thing to do. */
export class ListenError extends Schema.TaggedError<ListenError>()("ListenError", {
  reason: Schema.Literals(["address_in_use", "denied", "other"]),
  detail: Schema.String,
  hint: Schema.String,
}) {
  override get message(): string {
    return `the API cannot listen: ${this.detail}. ${this.hint}`
  }
}

const REASONS: Readonly<Record<string, ListenError["reason"]>> = {
  EADDRINUSE: "address_in_use",
  EACCES: "denied",
}

const listenError = ({ host, port }: ApiOptions, { code = "unknown" }: NodeJS.ErrnoException) =>
  new ListenError({
    reason: REASONS[code] ?? "other",
    detail: `${host}:${port} (${code})`,
    hint: "Stop what listens there, or set API_PORT to another port.",
  })

/** For an address with five full lists of the longest values, each character written with three: beyond Node's 16 KiB. */
const MAX_HEADERS = 1024 * 1024
/** How long a request that is under way may take to end. */
const PATIENCE = 7000

/** Serves the API until the scope closes, which lets the requests that are under way end. */
export const serveApi = Effect.fn("serveApi")(function* (
  options: ApiOptions,
): Effect.fn.Return<{ readonly port: number }, ListenError, ClickHouse | Nats | Scope.Scope> {
  const services = yield* Effect.context<ClickHouse | Nats>()
  const { connection } = yield* Nats
  const publisher = yield* Effect.acquireRelease(
    // Gives up before the request does, so that the answer can say why.
    Effect.sync(() => Publisher.open(connection, { giveUpAfter: 20_000 })),
    (open) => Effect.promise(() => open.close()),
  )
  const app = makeApp({ ...options, services, publisher })
  const server = createServer({ maxHeaderSize: MAX_HEADERS }, getRequestListener(app.fetch))
  server.on("clientError", answerUnreadable)
  yield* Effect.acquireRelease(
    Effect.callback<void, ListenError>((resume) => {
      server.once("error", (error) => resume(Effect.fail(listenError(options, error))))
      server.listen(options.port, options.host, () => resume(Effect.void))
    }),
    () =>
      Effect.promise(async () => {
        const closed = new Promise((resolve) => server.close(resolve))
        // A connection whose last answer ends after `close` stays open for its keep-alive unless it is looked for.
        const sweeper = setInterval(() => server.closeIdleConnections(), 50)
        const killer = setTimeout(() => server.closeAllConnections(), PATIENCE)
        await closed
        clearInterval(sweeper)
        clearTimeout(killer)
      }),
  )
  return { port: (server.address() as AddressInfo).port }
})
