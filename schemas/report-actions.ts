import { Schema } from "effect"
import { ACTOR_TYPES } from "./action-event.ts"
import { CATALOGUE } from "./catalogue.ts"
import { Cursor, ids, isRange, metaFields, rangeFields, values, wholeNumber } from "./report-range.ts"

export const ActionsParameters = Schema.Struct({
  ...rangeFields,
  client_id: Schema.optionalKey(ids("Actions that concern these clients.")),
  user_id: Schema.optionalKey(ids("Actions of these actors.")),
  user_email: Schema.optionalKey(ids("Actions of the users with these e-mail addresses.")),
  candidate_id: Schema.optionalKey(ids("Actions that concern these candidates.")),
  job_id: Schema.optionalKey(ids("Actions that concern these jobs.")),
  action: Schema.optionalKey(
    values(Schema.Literals(CATALOGUE.actions.map(({ type }) => type)), "Actions of these types."),
  ),
  limit: Schema.optionalKey(wholeNumber(1, 1000).annotate({ description: "100 when absent." })),
  cursor: Schema.optionalKey(Cursor),
}).check(isRange)
export type ActionsParameters = typeof ActionsParameters.Type

const Text = Schema.NullOr(Schema.String)

/** One stored event with the names that the directory has now; a name is null when unknown or erased. */
export const ActionRow = Schema.Struct({
  id: Schema.String,
  type: Schema.String,
  action_label: Schema.String,
  occurred_at: Schema.String.annotate({ format: "date-time", description: "In the report's time zone." }),
  occurred_at_utc: Schema.String.annotate({ format: "date-time" }),
  actor: Schema.Struct({ id: Schema.String, type: Schema.Literals(ACTOR_TYPES), name: Text, email: Text }),
  client: Schema.NullOr(Schema.Struct({ id: Schema.String, name: Text })),
  candidate: Schema.NullOr(Schema.Struct({ id: Schema.String, name: Text, email: Text })),
  job: Schema.NullOr(Schema.Struct({ id: Schema.String, title: Text })),
  contact_id: Text,
  page: Text,
  channel: Text,
  quantity: Schema.Int,
  automated: Schema.Boolean.annotate({ description: "A program acted; such events are in no metric." }),
  impersonator_id: Text.annotate({ description: "The real person; such events are in no metric." }),
  source: Schema.String,
  session_id: Text,
  properties: Schema.NullOr(Schema.Record(Schema.String, Schema.Unknown)),
}).annotate({ identifier: "ActionRow" })
export type ActionRow = typeof ActionRow.Type

export const Actions = Schema.Struct({
  data: Schema.Array(ActionRow),
  next_cursor: Text,
  meta: Schema.Struct(metaFields),
}).annotate({ identifier: "Actions" })
