import { userInfo } from "node:os"
import { Console, Effect } from "effect"
import { type AuditAction, COMMAND_LINE } from "#schemas/audit.ts"
import { writeAudit } from "../../api/audit/write.ts"
import { natsOf } from "../services.ts"
import type { Settings } from "../settings.ts"

interface Change {
  readonly tenant: string
  readonly action: AuditAction
  /** `keys create` */
  readonly command: string
  /** What was made or taken back. */
  readonly subject: string
  readonly filters?: object
}

/** Puts what a command changed on record, under the login name of whoever ran it. */
export const onRecord = ({ tenant, action, command, subject, filters = {} }: Change) =>
  writeAudit({
    tenant,
    actor: { kind: COMMAND_LINE, id: userInfo().username, role: "operator" },
    action,
    route: `tidemark ${command}`,
    subject,
    filters,
    outcome: "ok",
  })

/** The same for a command that works without a broker: says so when there is none. */
export const onRecordIfPossible = (settings: Settings, change: Change) =>
  onRecord(change).pipe(
    Effect.provide(natsOf(settings, "operator")),
    Effect.catchTag("NatsError", () => Console.error("It is not in the audit log: NATS does not answer.")),
  )
