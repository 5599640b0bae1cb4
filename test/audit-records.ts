import type { MsgRequest } from "@nats-io/jetstream"
import { Effect } from "effect"
import { Nats } from "#nats/connection.ts"
import type { AuditRecord } from "#schemas/audit.ts"
import { auditSubject, STREAMS } from "#schemas/names.ts"

/** What the stream of the audit log holds of a tenant, in order. */
export const auditRecords = (tenant: string): Effect.Effect<ReadonlyArray<AuditRecord>, never, Nats> =>
  Effect.flatMap(Nats, ({ manager }) =>
    Effect.promise(async () => {
      const records: Array<AuditRecord> = []
      for (let seq = 1; ;) {
        // With a subject the server takes the sequence for the least one; the client's type does not know it.
        const next = { seq, next_by_subj: auditSubject(tenant) } as MsgRequest
        const message = await manager.streams.getMessage(STREAMS.audit, next)
        if (message === null) return records
        records.push(message.json<AuditRecord>())
        seq = message.seq + 1
      }
    }),
  )
