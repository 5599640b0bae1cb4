import { Schema } from "effect"
import { ACTOR_TYPES } from "./action-event.ts"
import { Cursor, ids, metaFields, values, wholeNumber } from "./report-range.ts"
import { TenantSettings } from "./tenant-settings.ts"

/** In the order in which they are listed. */
export const SIGNAL_TYPES = ["engaged_not_scheduling", "off_platform_risk"] as const
export type SignalType = (typeof SIGNAL_TYPES)[number]

/** At most so many events stand behind a signal in the answer; evidence_total says how many there are. */
export const MAX_EVIDENCE = 20

const REASON_CODES = [
  "profiles_viewed",
  "cvs_downloaded",
  "no_interview",
  "job_not_closed",
  "contact_revealed",
  "cv_downloaded",
  "quiet",
  "no_interview_offer_or_placement",
  "within_contract",
] as const

export const SignalsParameters = Schema.Struct({
  type: Schema.optionalKey(values(Schema.Literals(SIGNAL_TYPES), "Signals of these types; all when absent.")),
  client_id: Schema.optionalKey(ids("Signals about these clients.")),
  job_id: Schema.optionalKey(
    ids("Signals about these jobs: of off_platform_risk those with an event behind them that names one."),
  ),
  limit: Schema.optionalKey(wholeNumber(1, 100).annotate({ description: "20 when absent." })),
  cursor: Schema.optionalKey(Cursor),
})
export type SignalsParameters = typeof SignalsParameters.Type

const Text = Schema.NullOr(Schema.String)
const Instant = Schema.String.annotate({ format: "date-time" })
const Name = Text.annotate({ description: "Null when the directory does not know it, erased or hides it." })

const Reason = Schema.Struct({
  code: Schema.Literals(REASON_CODES),
  text: Schema.String,
  value: Schema.NullOr(Schema.Int).annotate({ description: "What was counted; null when nothing was." }),
  threshold: Schema.NullOr(Schema.Int).annotate({ description: "From which value on it is a sign." }),
}).annotate({ identifier: "SignalReason" })
export type SignalReason = typeof Reason.Type

const Evidence = Schema.Struct({
  id: Schema.String.annotate({ description: "The event's id, as in the action log." }),
  type: Schema.String,
  action_label: Schema.String,
  occurred_at: Instant.annotate({ description: "In the tenant's time zone." }),
  occurred_at_utc: Instant,
  quantity: Schema.Int,
  actor: Schema.Struct({ id: Schema.String, type: Schema.Literals(ACTOR_TYPES), name: Name, email: Name }),
  candidate_id: Text,
  candidate_name: Name,
  job_id: Text,
}).annotate({ identifier: "SignalEvidence" })
export type SignalEvidence = typeof Evidence.Type

export const Signal = Schema.Struct({
  type: Schema.Literals(SIGNAL_TYPES),
  client_id: Schema.String,
  client_name: Text,
  job_id: Text.annotate({ description: "Of engaged_not_scheduling; null otherwise." }),
  job_title: Text,
  candidate_id: Text.annotate({ description: "Of off_platform_risk; null otherwise." }),
  candidate_name: Name,
  text: Schema.String.annotate({ description: "What it says, and that it is a sign to check, not proof." }),
  reasons: Schema.Array(Reason).annotate({ description: "Every condition that was met, one by one." }),
  first_at: Instant.annotate({ description: "The first of the events behind it." }),
  last_at: Instant.annotate({ description: "The last of the events behind it." }),
  evidence: Schema.Array(Evidence).annotate({
    description: `The earliest ${MAX_EVIDENCE} events behind it, oldest first: by the client's users, neither automated nor impersonated. Events that the log no longer keeps are missing.`,
  }),
  evidence_total: Schema.Int.annotate({ description: "How many there are." }),
}).annotate({ identifier: "Signal" })
export type Signal = typeof Signal.Type

const { from: _from, to: __to, ...meta } = metaFields

export const Signals = Schema.Struct({
  data: Schema.Array(Signal),
  next_cursor: Text,
  meta: Schema.Struct({
    ...meta,
    as_of: Instant.annotate({
      description: "The minute of asking, from whose beginning days are counted back.",
    }),
    thresholds: TenantSettings.fields.signals,
  }),
}).annotate({ identifier: "Signals" })
