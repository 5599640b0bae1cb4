import { Effect } from "effect"
import { Nats } from "#nats/connection.ts"
import { nextMessage } from "#nats/next-message.ts"
import type { AuditRecord } from "#schemas/audit.ts"
import { auditSubject, STREAMS } from "#schemas/names.ts"

/** What the stream of the audit log holds of a tenant, in order. */
export const auditRecords = (tenant: string): Effect.Effect<ReadonlyArray<AuditRecord>, never, Nats> =>
  Effect.flatMap(Nats, ({ manager }) =>
    Effect.promise(async () => {
      const records: Array<AuditRecord> = []
      for (let seq = 1; ;) {
        const message = await nextMessage(manager, STREAMS.audit, seq, auditSubject(tenant))
        if (message === undefined) return records
        records.push(message.json<AuditRecord>())
        seq = message.seq + 1
      }
    }),
  )
