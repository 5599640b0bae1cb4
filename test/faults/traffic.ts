import { Context, Effect, Layer } from "effect"
import { Nats } from "#nats/connection.ts"
import { type Acknowledgement, type Message, Publisher } from "#nats/publisher.ts"
import { Expected } from "./expected.ts"
import { eventFor, publishZones, type SingleEvent } from "./single-events.ts"
import { until } from "./until.ts"
import { WINDOW, World, type WorldOptions } from "./world.ts"

/** Tenants whose zones the directory knows before any writer starts; a test takes its own. */
export const TENANTS = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"] as const
export type Tenant = (typeof TENANTS)[number]

const makeTraffic = Effect.gen(function* () {
  const { connection } = yield* Nats
  const publisher = yield* Effect.acquireRelease(
    Effect.sync(() => Publisher.open(connection, { ackTimeout: 1000 })),
    (publisher) => Effect.promise(() => publisher.close()),
  )
  yield* Effect.promise(() => publishZones(publisher, TENANTS))
  const expected = new Expected()
  const numbers = new Map<Tenant, number>()

  /** Publishes a message as it is; what it should come to is the caller's affair. */
  const send = (message: Message): Effect.Effect<Acknowledgement> =>
    Effect.promise(() => publisher.publish(message))

  /** The next events of a tenant, not published yet. */
  const make = (tenant: Tenant, count: number, options: Parameters<typeof eventFor>[2] = {}) =>
    Array.from({ length: count }, (): SingleEvent => {
      const n = (numbers.get(tenant) ?? 0) + 1
      numbers.set(tenant, n)
      return eventFor(tenant, n, options)
    })

  /** Publishes events each of which must be counted once, and returns them when the stream has them all. */
  const publish = Effect.fnUntraced(function* (
    tenant: Tenant,
    count: number,
    options: Parameters<typeof eventFor>[2] = {},
  ) {
    const events = make(tenant, count, options)
    for (const { sent } of events) expected.add(sent)
    yield* Effect.promise(() => Promise.all(events.map(({ message }) => publisher.publish(message))))
    return events
  })

  /** Publishes a message again and again until the broker has forgotten its id and takes it once more. */
  const publishForgotten = (message: Message) =>
    until(
      `${message.messageId} forgotten by the broker`,
      Effect.map(send(message), ({ duplicate }) => !duplicate),
      (WINDOW / 1000) * 5,
    )

  return { publisher, expected, send, make, publish, publishForgotten }
})

/** Publishes events and keeps count of what the store must hold. One for a test file, like its world. */
export class Traffic extends Context.Service<Traffic, Effect.Success<typeof makeTraffic>>()(
  "tidemark/test/Traffic",
) {
  /** With the world that it runs in. */
  static readonly layerOf = (options: WorldOptions) =>
    Layer.effect(Traffic, makeTraffic).pipe(Layer.provideMerge(World.layerOf(options)))
  static readonly layer = Traffic.layerOf({})
}
