import {
  AckPolicy,
  type ConsumerConfig,
  DeliverPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
} from "@nats-io/jetstream"
import type { Msg, NatsConnection } from "@nats-io/transport-node"
import { Effect, Option, Schema } from "effect"
import { attemptNats, Nats, type NatsError } from "#nats/connection.ts"
import { nextMessage } from "#nats/next-message.ts"
import { exportSubject, STREAMS, SUBJECTS } from "#schemas/names.ts"

const Order = Schema.fromJsonString(Schema.Struct({ id: Schema.String }))
const decode = Schema.decodeUnknownOption(Order)

/** Puts a job into the queue. A message of the same `messageId` within two minutes is dropped. */
export const enqueue = Effect.fn("enqueueExport")(function* (
  tenant: string,
  id: string,
  messageId = id,
): Effect.fn.Return<void, NatsError, Nats> {
  const { jetstream } = yield* Nats
  yield* attemptNats("queue an export", () =>
    jetstream.publish(exportSubject(tenant), JSON.stringify({ id }), { msgID: messageId }),
  )
})

/** Messages in the queue by tenant, those that are under way included. */
export const queuedByTenant = Effect.fn("queuedExports")(function* (): Effect.fn.Return<
  ReadonlyMap<string, number>,
  NatsError,
  Nats
> {
  const { manager } = yield* Nats
  const { state } = yield* attemptNats("look into the queue of exports", () =>
    manager.streams.info(STREAMS.exports, { subjects_filter: `${SUBJECTS.exports}.*` }),
  )
  const prefix = SUBJECTS.exports.length + 1
  return new Map(
    Object.entries(state.subjects ?? {}).map(([subject, count]) => [subject.slice(prefix), count]),
  )
})

/** The jobs of a tenant that have a message in the queue. */
export const queuedIds = Effect.fn("queuedExportIds")(function* (
  tenant: string,
): Effect.fn.Return<ReadonlySet<string>, NatsError, Nats> {
  const { manager } = yield* Nats
  return yield* attemptNats("look through the queue of exports", async () => {
    const ids = new Set<string>()
    for (let seq = 1; ;) {
      const message = await nextMessage(manager, STREAMS.exports, seq, exportSubject(tenant))
      if (message === undefined) return ids
      const order = Option.getOrUndefined(decode(message.string()))
      if (order !== undefined) ids.add(order.id)
      seq = message.seq + 1
    }
  })
})

export interface QueueOptions {
  /** How long after its last sign of life a worker's job is given to another. Milliseconds. */
  readonly lease: number
  /** Jobs of a tenant that may be under way at once, over all workers. */
  readonly perTenant: number
}

const consumerOf = (tenant: string): string => `exporter-${tenant}`

const configOf = (tenant: string, { lease, perTenant }: QueueOptions) =>
  ({
    durable_name: consumerOf(tenant),
    filter_subject: exportSubject(tenant),
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
    ack_wait: lease * 1_000_000,
    // The broker's own count, so it holds over all workers: one tenant's jobs never fill every place.
    max_ack_pending: perTenant,
    max_deliver: -1,
    // One that nobody asks is dropped; its messages stay, and the next who asks makes it anew.
    inactive_threshold: 24 * 3600 * 1_000_000_000,
  }) satisfies Partial<ConsumerConfig>

/** A consumer a tenant: made when it is not there, and given this worker's settings when it has others. */
const ensureConsumer = Effect.fn("ensureExportConsumer")(function* (tenant: string, options: QueueOptions) {
  const { manager } = yield* Nats
  const config = configOf(tenant, options)
  yield* attemptNats("make a consumer of exports", async () => {
    const known = await manager.consumers
      .info(STREAMS.exports, config.durable_name)
      .catch((error: unknown) => {
        if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.ConsumerNotFound)
          return undefined
        throw error
      })
    if (known === undefined) await manager.consumers.add(STREAMS.exports, config)
    else if (
      known.config.ack_wait !== config.ack_wait ||
      known.config.max_ack_pending !== config.max_ack_pending
    )
      await manager.consumers.update(STREAMS.exports, config.durable_name, config)
  })
})

/** A job's message. What is said about it is sent and not waited for: unheard, it comes again, and finds the job ended. */
export interface Delivery {
  readonly tenant: string
  readonly id: string
  /** Its place in the queue; the same each time that it is delivered. */
  readonly sequence: number
  /** The job has ended. */
  readonly done: () => void
  /** Still at work. */
  readonly working: () => void
  /** Deliver it again after so many milliseconds. */
  readonly later: (delay: number) => void
}

/** `$JS.ACK.<stream>.<consumer>.<delivered>.<sequence>…`; newer servers put a domain and an account before the stream. */
const sequenceOf = (reply: string): number => {
  const tokens = reply.split(".")
  return Number(tokens[tokens.length > 9 ? 7 : 5])
}

const deliveryOf = (
  connection: NatsConnection,
  tenant: string,
  id: string,
  { reply = "" }: Msg,
): Delivery => ({
  tenant,
  id,
  sequence: sequenceOf(reply),
  done: () => connection.publish(reply, "+ACK"),
  working: () => connection.publish(reply, "+WPI"),
  later: (delay) => connection.publish(reply, `-NAK ${JSON.stringify({ delay: delay * 1_000_000 })}`),
})

/**
 * One message, at once. Where a tenant has as much under way as it may, the server would keep the request until one of
 * them ends, and give the next message to nobody; it forgets the request after so many nanoseconds.
 */
const PULL = JSON.stringify({ batch: 1, no_wait: true, expires: 50_000_000 })

export interface Queue {
  /** The next job of the tenant, at once or not at all. */
  readonly take: (tenant: string) => Effect.Effect<Delivery | undefined, NatsError, Nats>
}

export const makeQueue = (options: QueueOptions): Queue => {
  const known = new Set<string>()
  return {
    take: Effect.fn("takeExport")(function* (tenant) {
      if (!known.has(tenant)) yield* ensureConsumer(tenant, options)
      known.add(tenant)
      const { connection } = yield* Nats
      const subject = `$JS.API.CONSUMER.MSG.NEXT.${STREAMS.exports}.${consumerOf(tenant)}`
      const message = yield* attemptNats("take an export", () =>
        // The client's own pull waits for a second at least. The message comes under its own subject, which the shared
        // inbox would not know.
        connection.request(subject, PULL, {
          timeout: 5000,
          noMux: true,
        }),
      ).pipe(Effect.tapError(() => Effect.sync(() => known.delete(tenant))))
      if (message.headers !== undefined && message.headers.code >= 400) return undefined
      const order = Option.getOrUndefined(decode(message.string()))
      // What nobody of ours wrote is taken out.
      if (order === undefined) connection.publish(message.reply ?? "", "+TERM")
      return order === undefined ? undefined : deliveryOf(connection, tenant, order.id, message)
    }),
  }
}
