import { Exit, Schema } from "effect"
import { AuditRecord } from "./audit.ts"
import type { Decoded } from "./decode.ts"

const decode = Schema.decodeUnknownExit(Schema.fromJsonString(AuditRecord))

/** Reads and checks one record of the audit log, which came for a tenant. The result's `time` is in milliseconds since 1970. */
export const decodeAudit = (payload: Uint8Array, tenant: string): Decoded<AuditRecord> => {
  const decoded = decode(Buffer.from(payload).toString())
  if (!Exit.isSuccess(decoded))
    return { ok: false, reason: "invalid_event", detail: "It is no record of the audit log." }
  const event = decoded.value
  const time = Date.parse(event.at)
  if (Number.isNaN(time)) return { ok: false, reason: "invalid_event", detail: "Its time cannot be read." }
  if (event.tenant !== tenant)
    return { ok: false, reason: "tenant_mismatch", detail: "Its tenant is not that of its subject." }
  return { ok: true, event, time }
}
