import { Schema } from "effect"
import { RefusalReason } from "./refusal.ts"

/** The headers of a dead letter; its payload is the original's, byte for byte. */
export const DEAD_LETTER_HEADERS = {
  subject: "Tidemark-Subject",
  stream: "Tidemark-Stream",
  sequence: "Tidemark-Sequence",
  receivedAt: "Tidemark-Received-At",
  reason: "Tidemark-Reason",
  detail: "Tidemark-Detail",
} as const

/** A dead letter's `Nats-Msg-Id`: whoever counts dead letters counts distinct (stream, sequence). */
export const deadLetterId = (stream: string, sequence: number, generation = 1): string =>
  // Another life of the stream has other messages under the same sequences.
  generation === 1 ? `dead:${stream}:${sequence}` : `dead:${stream}:${sequence}:${generation}`

const DEAD_LETTER_ID = /^dead:([A-Z0-9_]+):(\d+)(?::(\d+))?$/u

/** What a dead letter's `Nats-Msg-Id` names; undefined when it is none. */
export const readDeadLetterId = (
  id: string,
): { readonly stream: string; readonly generation: number; readonly sequence: number } | undefined => {
  const [, stream, sequence, generation = "1"] = DEAD_LETTER_ID.exec(id) ?? []
  return stream === undefined
    ? undefined
    : { stream, generation: Number(generation), sequence: Number(sequence) }
}

/** A message that could not be stored: what its headers say, and its payload. */
export const DeadLetter = Schema.Struct({
  subject: Schema.String.annotate({ description: "The original subject." }),
  stream: Schema.String.annotate({ description: "The stream that carried the original." }),
  sequence: Schema.Int.check(Schema.isGreaterThan(0)).annotate({
    description: "The original's sequence in that stream.",
  }),
  received_at: Schema.String.annotate({
    description: "When that stream received the original.",
    format: "date-time",
  }),
  reason: RefusalReason,
  detail: Schema.String.annotate({ description: "Why, in a readable sentence without the event's values." }),
  payload: Schema.optionalKey(
    Schema.String.annotate({ description: "The original bytes, in base64.", contentEncoding: "base64" }),
  ),
}).annotate({ identifier: "DeadLetter" })
export type DeadLetter = typeof DeadLetter.Type
