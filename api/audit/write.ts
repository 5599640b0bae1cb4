import { createHash, randomUUID } from "node:crypto"
import { Clock, Effect } from "effect"
import type { AuditRecord } from "#schemas/audit.ts"
import { auditSubject, messageId } from "#schemas/names.ts"
import { EMAIL } from "#schemas/patterns.ts"
import { attemptNats, Nats, type NatsError } from "#nats/connection.ts"

/** E-mail addresses would outlive the erasure of their owners. Whoever knows one can still look for its hash. */
const withoutAddresses = (value: unknown): unknown => {
  if (typeof value === "string")
    return EMAIL.test(value)
      ? `sha256:${createHash("sha256").update(value.toLowerCase()).digest("hex").slice(0, 32)}`
      : value
  if (Array.isArray(value)) return value.map(withoutAddresses)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withoutAddresses(member)]))
}

/** Puts something on record; returns when the stream holds it. */
export const writeAudit = Effect.fn("writeAudit")(function* (
  record: Omit<AuditRecord, "id" | "at" | "filters"> & { readonly filters: object },
): Effect.fn.Return<void, NatsError, Nats> {
  const { jetstream } = yield* Nats
  const id = randomUUID()
  const whole: AuditRecord = {
    ...record,
    id,
    at: new Date(yield* Clock.currentTimeMillis).toISOString(),
    filters: withoutAddresses(record.filters) as AuditRecord["filters"],
  }
  yield* attemptNats("write the audit log", () =>
    jetstream.publish(auditSubject(record.tenant), JSON.stringify(whole), {
      msgID: messageId(record.tenant, id),
    }),
  )
})
