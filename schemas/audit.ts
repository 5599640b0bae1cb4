import { Schema } from "effect"
import { TENANT } from "./patterns.ts"

/** What is put on record: the closed list. */
export const AUDIT_ACTIONS = [
  /** A report, the action log and signals included; the route says which. */
  "report.viewed",
  "export.created",
  "export.downloaded",
  "export.canceled",
  "target.changed",
  "key.created",
  "key.revoked",
  "grant.changed",
  "settings.changed",
  "bi_user.created",
  "bi_user.removed",
  "nats_user.created",
  "nats_user.removed",
  "events.replayed",
  "rollup.rebuilt",
  "person.erased",
  "dead_letters.viewed",
  "dead_letter.replayed",
  "dead_letter.discarded",
  "audit_log.viewed",
  /** The operator's key did something that is on record for nobody else. */
  "operator.used",
] as const
export type AuditAction = (typeof AUDIT_ACTIONS)[number]

/** Whoever runs commands on the machine. */
export const COMMAND_LINE = "command_line"
export const ACTOR_KINDS = ["key", "jwt", "operator", COMMAND_LINE] as const

/** Stands for the tenant where a call of the operator concerned none, or several. */
const AuditTenant = Schema.String.check(
  Schema.makeFilter((tenant: string) => tenant === "_" || TENANT.test(tenant) || "Expected a tenant or _"),
)

/** One message of the stream `AUDIT`: who asked for what, and whether it was given. */
export const AuditRecord = Schema.Struct({
  id: Schema.String,
  /** RFC 3339, when the answer was ready to be given. */
  at: Schema.String,
  tenant: AuditTenant,
  actor: Schema.Struct({
    kind: Schema.Literals(ACTOR_KINDS),
    /** Of the key, not the key itself; of a JWT its user; of a command the login name of the machine. */
    id: Schema.String,
    /** What the key was called. */
    name: Schema.optionalKey(Schema.String),
    user: Schema.optionalKey(Schema.String),
    role: Schema.String,
  }),
  action: Schema.Literals(AUDIT_ACTIONS),
  /** Method and path pattern, or the command. */
  route: Schema.String,
  /** What it was done to, when the route does not say: the id of the new key, say. */
  subject: Schema.optionalKey(Schema.String),
  /** The parameters and the body as understood. */
  filters: Schema.Record(Schema.String, Schema.Unknown),
  request_id: Schema.optionalKey(Schema.String),
  /** `ok`, or the code of the problem that was answered. */
  outcome: Schema.String,
})
export type AuditRecord = typeof AuditRecord.Type
