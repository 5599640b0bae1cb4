import { Effect } from "effect"
import { DEAD_LETTER_HEADERS, deadLetterId } from "#schemas/dead-letter.ts"
import { deadLetterSubject, NO_TENANT } from "#schemas/names.ts"
import type { Refusal } from "#schemas/refusal.ts"
import { placesOf, placesText, SENT_ON_HEADER } from "#schemas/sent-on.ts"
import { NatsError } from "#nats/connection.ts"
import { type Publisher, PublishError } from "#nats/publisher.ts"
import type { StreamMessage } from "#nats/reader.ts"
import { routeOf } from "./action-row.ts"

/** A message that could not be stored, with its bytes as they came. */
export interface DeadLetter extends Refusal {
  readonly stream: string
  readonly message: StreamMessage
}

/** Says where an id stands with another time. */
export const CONFLICT = "this id was used before with another time"

/** Header values are one line of printable ASCII. */
const headerText = (text: string): string => encodeURI(text).replaceAll("%20", " ").slice(0, 500)

/** A letter of an event that was sent on speaks for the places, too, where it stood before. */
const sentOnHeader = ({ sentOn }: StreamMessage): Readonly<Record<string, string>> => {
  const places = placesOf(sentOn)
  return places.length === 0 ? {} : { [SENT_ON_HEADER]: placesText(places) }
}

/**
 * Publishes dead letters and returns when the stream has acknowledged all of them. Doing it again is safe: the
 * message id is made of the stream and the sequence.
 */
export const publishDeadLetters = (
  publisher: Publisher,
  kind: string,
  /** Of the stream, whose sequences begin again with each one. */
  generation: number,
  letters: ReadonlyArray<DeadLetter>,
): Effect.Effect<void, NatsError> =>
  Effect.tryPromise({
    try: async () => {
      await Promise.all(
        letters.map(({ stream, message, reason, detail }) =>
          publisher.publish({
            subject: deadLetterSubject(routeOf(kind, message.subject).tenant ?? NO_TENANT, reason),
            messageId: deadLetterId(stream, message.seq, generation),
            payload: message.payload,
            headers: {
              [DEAD_LETTER_HEADERS.subject]: headerText(message.subject),
              [DEAD_LETTER_HEADERS.stream]: stream,
              [DEAD_LETTER_HEADERS.sequence]: String(message.seq),
              [DEAD_LETTER_HEADERS.receivedAt]: new Date(message.receivedAt).toISOString(),
              [DEAD_LETTER_HEADERS.reason]: reason,
              [DEAD_LETTER_HEADERS.detail]: headerText(detail),
              ...sentOnHeader(message),
            },
          }),
        ),
      )
    },
    catch: (cause) =>
      new NatsError({
        operation: "publish a dead letter",
        detail: cause instanceof PublishError ? `${cause.reason}: ${cause.detail}` : String(cause),
      }),
  })
