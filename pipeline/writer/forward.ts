import { Effect } from "effect"
import { actionStreamOf, mappedSubject, partitionOf } from "#schemas/partitions.ts"
import { placesOf, placesText, SENT_ON_HEADER } from "#schemas/sent-on.ts"
import { attemptNats, Nats, NatsError } from "#nats/connection.ts"
import { type Acknowledgement, PublishError } from "#nats/publisher.ts"
import type { StreamMessage } from "#nats/reader.ts"
import type { ActionRow } from "./action-row.ts"
import { Writer } from "./context.ts"
import { CONFLICT, type DeadLetter } from "./dead-letters.ts"
import { LeaseLost } from "./ledger.ts"

/** A valid event in a stream that is not its tenant's: the broker took it while it mapped to another number of partitions. */
export interface Astray {
  readonly row: ActionRow
  readonly message: StreamMessage
}

/** What keeps an event from being sent on may take an operator to put right. */
const PAUSE = "1 second"

/** Looks at what the broker took for repeats. */
const LOOKS = 16

/**
 * The broker drops an event whose id its stream took a moment ago, be it with another time. Its sender was not told, as would be
 * where the broker puts it at once, so that is a dead letter.
 */
const isOther = Effect.fnUntraced(function* (
  { row, message }: Astray,
  { stream, seq }: Pick<Acknowledgement, "stream" | "seq">,
) {
  const { judge } = yield* Writer
  const { manager } = yield* Nats
  const held = yield* attemptNats("read a message", () => manager.streams.getMessage(stream, { seq }))
  if (held === null || Buffer.from(held.data).equals(message.payload)) return false
  const first = judge.judge({
    ...message,
    seq,
    receivedAt: held.time.getTime(),
    sentOn: held.header.get(SENT_ON_HEADER) || undefined,
    payload: held.data,
  })
  return first.ok ? first.row.time !== row.time : first.reason !== "erased"
})

/**
 * Sends events on to the streams of their tenants, whose owners store them, and returns when these have acknowledged them
 * all. Under the same message id, so one that is sent on again counts once, as any event that is sent again; with the place
 * where it stands, for which a dead letter of it counts, and whose receive time tells how old it is. Gives dead letters of those
 * whose id the stream has just taken with another time.
 */
export const forward = Effect.fn("forward")(function* (
  astray: ReadonlyArray<Astray>,
): Effect.fn.Return<ReadonlyArray<DeadLetter>, NatsError | LeaseLost, Writer | Nats> {
  const { publisher, ledger, options, metrics } = yield* Writer
  const { partitions, stream: here } = options
  if (astray.length === 0 || partitions === undefined) return []
  const record = ledger.current()
  if (record === undefined) return yield* new LeaseLost({ stream: here, owner: "nobody" })
  const { generation } = record
  const sendOn = async (event: Astray) => {
    const { row, message } = event
    const { stream, seq, duplicate } = await publisher.publish({
      subject: mappedSubject(partitionOf(row.tenant, partitions), message.subject),
      messageId: message.messageId ?? "",
      payload: message.payload,
      headers: {
        [SENT_ON_HEADER]: placesText([
          ...placesOf(message.sentOn),
          { stream: here, generation, sequence: message.seq, receivedAt: message.receivedAt },
        ]),
      },
    })
    const theirs = actionStreamOf(row.tenant, partitions)
    // While a change of the number is broken off, the subject may lead back to where the event lies: a repeat, says the broker.
    if (stream !== theirs)
      throw new Error(`${stream} took what is for ${theirs}; the number is being changed`)
    return { event, stream, seq, duplicate }
  }
  const taken = yield* Effect.tryPromise({
    try: () => Promise.all(astray.map(sendOn)),
    catch: (cause) =>
      new NatsError({
        operation: "send an event on to its stream",
        detail: cause instanceof PublishError ? `${cause.reason}: ${cause.detail}` : String(cause),
      }),
  }).pipe(Effect.tapError(() => Effect.sleep(PAUSE)))
  metrics.forwarded += astray.length
  const others = yield* Effect.filter(
    taken.filter(({ duplicate }) => duplicate),
    (one) => isOther(one.event, one),
    { concurrency: LOOKS },
  )
  return others.map(({ event: { message } }) => ({
    stream: here,
    message,
    reason: "id_conflict",
    detail: CONFLICT,
  }))
})
