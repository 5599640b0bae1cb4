import { Effect } from "effect"
import { mappedSubject, partitionOf } from "#schemas/partitions.ts"
import { NatsError } from "#nats/connection.ts"
import { PublishError } from "#nats/publisher.ts"
import type { StreamMessage } from "#nats/reader.ts"
import type { ActionRow } from "./action-row.ts"
import { Writer } from "./context.ts"

/** A valid event in a stream that is not its tenant's: the broker took it while it mapped to another number of partitions. */
export interface Astray {
  readonly row: ActionRow
  readonly message: StreamMessage
}

/**
 * Sends events on to the streams of their tenants, whose owners store them, and returns when these have acknowledged them
 * all. Under the same message id, so one that is sent on again counts once, as any event that is sent again.
 */
export const forward = Effect.fn("forward")(function* (
  astray: ReadonlyArray<Astray>,
): Effect.fn.Return<void, NatsError, Writer> {
  const { deadLetters, options, metrics } = yield* Writer
  const { partitions } = options
  if (astray.length === 0 || partitions === undefined) return
  yield* Effect.tryPromise({
    try: () =>
      Promise.all(
        astray.map(({ row, message }) =>
          deadLetters.publish({
            subject: mappedSubject(partitionOf(row.tenant, partitions), message.subject),
            messageId: message.messageId ?? "",
            payload: message.payload,
          }),
        ),
      ),
    catch: (cause) =>
      new NatsError({
        operation: "send an event on to its stream",
        detail: cause instanceof PublishError ? `${cause.reason}: ${cause.detail}` : String(cause),
      }),
  })
  metrics.forwarded += astray.length
})
