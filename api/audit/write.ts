import { createHash, randomUUID } from "node:crypto"
import { Clock, Effect } from "effect"
import type { AuditRecord } from "#schemas/audit.ts"
import { auditSubject, messageId } from "#schemas/names.ts"
import { attemptNats, Nats, type NatsError } from "#nats/connection.ts"

const hashOf = (address: string): string =>
  `sha256:${createHash("sha256").update(address.trim().toLowerCase()).digest("hex").slice(0, 32)}`

/** Parts of a text that may be addresses, whatever stands around them. */
const ADDRESSES = /[^\s<>()[\]"',;:]+@[^\s<>()[\]"',;:]+/gu

/**
 * E-mail addresses would outlive the erasure of their owners. Whoever knows one can still look for its hash. What is
 * asked for as an address is one, however it is written.
 */
const withoutAddresses = (value: unknown, isAddress = false): unknown => {
  if (typeof value === "string") return isAddress ? hashOf(value) : value.replaceAll(ADDRESSES, hashOf)
  if (Array.isArray(value)) return value.map((member) => withoutAddresses(member, isAddress))
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, withoutAddresses(member, key === "user_email")]),
  )
}

/** Puts something on record; returns when the stream holds it. */
export const writeAudit = Effect.fn("writeAudit")(function* (
  record: Omit<AuditRecord, "id" | "at" | "filters"> & { readonly filters: object },
): Effect.fn.Return<void, NatsError, Nats> {
  const { jetstream } = yield* Nats
  const id = randomUUID()
  const whole: AuditRecord = {
    ...record,
    // People name keys after people.
    actor: withoutAddresses(record.actor) as AuditRecord["actor"],
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
