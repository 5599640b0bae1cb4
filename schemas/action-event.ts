import { Schema } from "effect"
import { envelopeFields, Id, PersonId, text } from "./envelope.ts"

export const ACTOR_TYPES = ["member", "client", "candidate", "service", "system"] as const
export const CHANNELS = ["web", "mobile", "extension", "api", "email_sync", "import", "automation"] as const

export const MAX_PROPERTIES = 50

export const actionDataFields = {
  actor_id: PersonId,
  actor_type: Schema.Literals(ACTOR_TYPES),
  impersonator_id: Schema.optionalKey(
    PersonId.annotate({ description: "The real person behind an impersonated action." }),
  ),
  automated: Schema.optionalKey(Schema.Boolean),
  quantity: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100_000 }))),
  client_id: Schema.optionalKey(Id),
  candidate_id: Schema.optionalKey(Id),
  contact_id: Schema.optionalKey(Id),
  job_id: Schema.optionalKey(Id),
  page: Schema.optionalKey(
    text(1, 300)
      .check(Schema.isPattern(/^[^?]*$/u, { expected: "a page without a query string" }))
      .annotate({ description: "Without a query string." }),
  ),
  channel: Schema.optionalKey(Schema.Literals(CHANNELS)),
  session_id: Schema.optionalKey(text(0, 200)),
  correlation_id: Schema.optionalKey(text(0, 200)),
  properties: Schema.optionalKey(
    Schema.Record(Schema.String, Schema.Unknown).check(Schema.isMaxProperties(MAX_PROPERTIES)),
  ),
} as const

export const ActionData = Schema.Struct(actionDataFields)
export type ActionData = typeof ActionData.Type

/** One user action, as it travels on `actions.v1.<tenant>.<object>.<verb>`. */
export const ActionEvent = Schema.Struct({ ...envelopeFields, data: ActionData }).annotate({
  identifier: "ActionEvent",
})
export type ActionEvent = typeof ActionEvent.Type
