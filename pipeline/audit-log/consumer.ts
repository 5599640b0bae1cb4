import { Effect } from "effect"
import type { AuditRecord } from "#schemas/audit.ts"
import { decodeAudit } from "#schemas/decode-audit.ts"
import { NO_TENANT, STREAMS, SUBJECTS, TABLES } from "#schemas/names.ts"
import type { RefusalReason } from "#schemas/refusal.ts"
import type { StreamMessage } from "#nats/reader.ts"
import { type Applied, applyStream } from "../apply/apply-stream.ts"
import { instant, type TableRow } from "../apply/insert-rows.ts"
import { routeOf } from "../writer/action-row.ts"

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
  const decoded = decodeAudit(payload, routeOf(SUBJECTS.audit, subject).tenant ?? NO_TENANT)
  return decoded.ok ? { row: auditRow(decoded.event, decoded.time) } : { refusal: decoded }
}

/** The stream of the audit log into its table. A record that is written again replaces itself. */
export const runAuditLog = (
  onCaughtUp: () => void = () => undefined,
  refused: Map<RefusalReason, number> = new Map(),
) =>
  applyStream(
    {
      service: "audit",
      stream: STREAMS.audit,
      subjects: SUBJECTS.audit,
      progress: TABLES.auditProgress,
      prepare: Effect.void,
      judge,
      refused,
    },
    onCaughtUp,
  )
