import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from "@nats-io/jetstream"
import { Kvm } from "@nats-io/kv"
import { connect, type NatsConnection } from "@nats-io/transport-node"
import { Context, Effect, Layer, Schema } from "effect"

export interface Server {
  /** `nats://host:4222`, several separated by commas */
  readonly url: string
  readonly user?: string
  readonly password?: string
  /** Shown by the server's monitoring. */
  readonly name: string
}

/** NATS did not do what was asked; `detail` is the client's or the server's own word. */
export class NatsError extends Schema.TaggedError<NatsError>()("NatsError", {
  operation: Schema.String,
  detail: Schema.String,
}) {
  override get message(): string {
    return `NATS: ${this.operation} failed (${this.detail})`
  }
}

export const attemptNats = <A>(operation: string, run: () => Promise<A>) =>
  Effect.tryPromise({
    try: run,
    catch: (cause) => new NatsError({ operation, detail: (cause as Error).message || String(cause) }),
  })

/** One connection to NATS with its JetStream and key-value clients. It reconnects for ever. */
export class Nats extends Context.Service<
  Nats,
  {
    readonly connection: NatsConnection
    readonly jetstream: JetStreamClient
    readonly manager: JetStreamManager
    readonly kv: Kvm
  }
>()("tidemark/pipeline/Nats") {
  static readonly layer = (server: Server) =>
    Layer.effect(
      Nats,
      Effect.gen(function* () {
        const connection = yield* Effect.acquireRelease(
          attemptNats("connect", () =>
            connect({
              servers: server.url.split(",").map((url) => url.trim()),
              name: server.name,
              maxReconnectAttempts: -1,
              reconnectTimeWait: 250,
              reconnectJitter: 250,
              timeout: 5000,
              // A server that hangs, or whose end was never told, is left for another after some seconds; the client's
              // own two minutes would be six.
              pingInterval: 2000,
              maxPingOut: 2,
              ...(server.user === undefined ? {} : { user: server.user }),
              ...(server.password === undefined ? {} : { pass: server.password }),
            }),
          ),
          (connection) => Effect.promise(() => connection.close()),
        )
        const js = jetstream(connection, { timeout: 5000 })
        const manager = yield* attemptNats("open JetStream", () =>
          jetstreamManager(connection, { timeout: 5000 }),
        )
        return Nats.of({ connection, jetstream: js, manager, kv: new Kvm(js) })
      }),
    )
}
