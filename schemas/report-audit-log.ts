import { Schema } from "effect"
import { ACTOR_KINDS, AUDIT_ACTIONS } from "./audit.ts"
import { Cursor, ids, isRange, metaFields, rangeFields, values, wholeNumber } from "./report-range.ts"

export const AuditLogParameters = Schema.Struct({
  ...rangeFields,
  action: Schema.optionalKey(values(Schema.Literals(AUDIT_ACTIONS), "Records of these actions.")),
  actor: Schema.optionalKey(ids("Records of these actors: ids of keys, or users of the directory.")),
  limit: Schema.optionalKey(wholeNumber(1, 1000).annotate({ description: "100 when absent." })),
  cursor: Schema.optionalKey(Cursor),
}).check(isRange)
export type AuditLogParameters = typeof AuditLogParameters.Type

const Text = Schema.NullOr(Schema.String)

/** One call, command or change that is on record. */
export const AuditLogRow = Schema.Struct({
  id: Schema.String,
  at: Schema.String.annotate({ format: "date-time", description: "When the answer was ready to be given." }),
  actor: Schema.Struct({
    kind: Schema.Literals(ACTOR_KINDS),
    id: Schema.String.annotate({
      description:
        "The key's id, the JWT's user, `operator`, or the login name on the machine of the command.",
    }),
    name: Text.annotate({ description: "What the key was called then." }),
    user: Text.annotate({ description: "The user of the directory whom the credential stands for." }),
    role: Schema.String,
  }),
  action: Schema.Literals(AUDIT_ACTIONS),
  route: Schema.String.annotate({ description: "Method and path of the call, or the command." }),
  subject: Text.annotate({ description: "What it was done to, where route and filters do not say it." }),
  filters: Schema.Record(Schema.String, Schema.Unknown).annotate({
    description:
      "Parameters and body as understood, and under `before` what a change replaced. E-mail addresses are the first half of their SHA-256.",
  }),
  request_id: Text,
  outcome: Schema.String.annotate({ description: "`ok`, or the code of the problem that was answered." }),
}).annotate({ identifier: "AuditLogRow" })
export type AuditLogRow = typeof AuditLogRow.Type

export const AuditLog = Schema.Struct({
  data: Schema.Array(AuditLogRow),
  next_cursor: Text,
  meta: Schema.Struct(metaFields),
}).annotate({ identifier: "AuditLog" })
