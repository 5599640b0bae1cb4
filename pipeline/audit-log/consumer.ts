import { Effect, Exit, Schema } from "effect"
import { AuditRecord } from "#schemas/audit.ts"
import { NO_TENANT, STREAMS, SUBJECTS, TABLES } from "#schemas/names.ts"
import type { StreamMessage } from "#nats/reader.ts"
import { type Applied, applyStream } from "../apply/apply-stream.ts"
import { instant, type TableRow } from "../apply/insert-rows.ts"
import { routeOf } from "../writer/action-row.ts"

const decode = Schema.decodeUnknownExit(Schema.fromJsonString(AuditRecord))

const auditRow = (record: AuditRecord, time: number): TableRow => {
  const { id, tenant, actor, action, route, subject = "", filters, request_id = "", outcome } = record
  return {
    table: TABLES.auditLog,
    row: {
      tenant,
      at: instant(time),
      id,
      actor_kind: actor.kind,
      actor_id: actor.id,
      actor_name: actor.name ?? "",
      actor_user: actor.user ?? "",
      actor_role: actor.role,
      action,
      route,
      subject,
      filters: JSON.stringify(filters),
      request_id,
      outcome,
    },
  }
}

const judge = ({ payload, subject }: StreamMessage): Applied => {
  const decoded = decode(Buffer.from(payload).toString())
  if (!Exit.isSuccess(decoded))
    return { refusal: { reason: "invalid_event", detail: "It is no record of the audit log." } }
  const time = Date.parse(decoded.value.at)
  if (Number.isNaN(time)) return { refusal: { reason: "invalid_event", detail: "Its time cannot be read." } }
  if (decoded.value.tenant !== (routeOf(SUBJECTS.audit, subject).tenant ?? NO_TENANT))
    return { refusal: { reason: "tenant_mismatch", detail: "Its tenant is not that of its subject." } }
  return { row: auditRow(decoded.value, time) }
}

/** The stream of the audit log into its table. A record that is written again replaces itself. */
export const runAuditLog = (onCaughtUp: () => void = () => undefined) =>
  applyStream(
    {
      service: "audit",
      stream: STREAMS.audit,
      subjects: SUBJECTS.audit,
      progress: TABLES.auditProgress,
      prepare: Effect.void,
      judge,
    },
    onCaughtUp,
  )
