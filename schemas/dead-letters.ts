import { Schema } from "effect"
import { Tenant, text, Time } from "./envelope.ts"
import { RefusalReason } from "./refusal.ts"
import { Cursor, wholeNumber } from "./report-range.ts"

const tenant = Schema.optionalKey(
  Tenant.annotate({ description: "For the operator alone, who must name one." }),
)
const Instant = Schema.String.annotate({ format: "date-time" })

export const DeadLettersParameters = Schema.Struct({
  tenant,
  reason: Schema.optionalKey(RefusalReason.annotate({ description: "Those of this reason alone." })),
  since: Schema.optionalKey(Time.annotate({ description: "Refused since." })),
  before: Schema.optionalKey(Time.annotate({ description: "Refused before." })),
  state: Schema.optionalKey(
    Schema.Literals(["open", "all"]).annotate({
      description:
        "`open`, which it is when absent: those that nobody replayed or discarded. `all`: those too.",
    }),
  ),
  limit: Schema.optionalKey(wholeNumber(1, 200).annotate({ description: "50 when absent." })),
  cursor: Schema.optionalKey(Cursor),
})
export type DeadLettersParameters = typeof DeadLettersParameters.Type

export const DeadLetterParameters = Schema.Struct({
  tenant,
  id: text(1, 100).annotate({ description: "The dead letter's id, a number." }),
})
export type DeadLetterParameters = typeof DeadLetterParameters.Type

const fields = {
  id: Schema.Int.annotate({ description: "Its sequence among the dead letters." }),
  reason: RefusalReason,
  detail: Schema.String.annotate({ description: "Why, in a readable sentence." }),
  refused_at: Instant,
  received_at: Instant.annotate({ description: "When the stream received the message." }),
  stream: Schema.String.annotate({ description: "The stream that carries the message." }),
  sequence: Schema.Int.annotate({ description: "Where it stands in that stream." }),
  subject: Schema.String,
  bytes: Schema.Int.annotate({ description: "The length of its payload." }),
  state: Schema.Literals(["open", "replaying", "replayed", "discarded", "erased"]).annotate({
    description:
      "`replaying`: being replayed, or a replay was broken off; replaying it again is safe. It is listed as open.",
  }),
  handled_at: Schema.NullOr(Instant),
  handled_by: Schema.NullOr(Schema.String),
  replays: Schema.Int.annotate({ description: "How often it was replayed." }),
} as const

/** A message that could not be stored. */
export const DeadLetterRow = Schema.Struct(fields).annotate({ identifier: "DeadLetterRow" })
export type DeadLetterRow = typeof DeadLetterRow.Type

/** The same with its payload, and whether a replay could help. */
export const DeadLetterView = Schema.Struct({
  ...fields,
  payload: Schema.NullOr(Schema.String).annotate({
    description: "The payload as text; null when it is no UTF-8.",
  }),
  payload_base64: Schema.String.annotate({ description: "Its bytes.", contentEncoding: "base64" }),
  obstacle: Schema.NullOr(Schema.String).annotate({
    description: "Why a replay would not help at the moment, and what would; null when it would.",
  }),
}).annotate({ identifier: "DeadLetterView" })
export type DeadLetterView = typeof DeadLetterView.Type

export const DeadLetters = Schema.Struct({
  data: Schema.Array(DeadLetterRow),
  next_cursor: Schema.NullOr(Schema.String),
})
export const OneDeadLetter = Schema.Struct({ data: DeadLetterView })
export const HandledDeadLetter = Schema.Struct({ data: DeadLetterRow })
