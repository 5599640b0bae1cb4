import type { ClickHouse } from "#clickhouse"
import { Effect } from "effect"
import type { AuditAction, AuditRecord } from "#schemas/audit.ts"
import { NO_TENANT } from "#schemas/names.ts"
import { PROBLEMS } from "#schemas/problem.ts"
import type { Nats } from "#nats/connection.ts"
import type { Credential } from "../auth/credential.ts"
import type { Answer } from "../http/answer.ts"
import { type Failure, refusalOf, refuse } from "../http/failure.ts"
import { writeAudit } from "./write.ts"

/** A call of a known credential. */
export interface Recorded {
  readonly credential: Credential
  readonly action: AuditAction
  readonly method: string
  readonly route: string
  readonly requestId: string
  /** Parameters and body, as far as they were read. */
  readonly filters: () => object
}

const actorOf = ({ kind, id, name, user, role }: Credential): AuditRecord["actor"] => ({
  kind,
  id,
  role,
  ...(name === undefined ? {} : { name }),
  ...(user === undefined ? {} : { user }),
})

/** The cursor holds the last row of a page, whatever the list was sorted by. */
const withoutCursor = (filters: object): object => {
  const { cursor: _, ...others } = filters as { readonly cursor?: unknown }
  return others
}

const OFF_RECORD = refuse(
  "unavailable",
  "The call cannot be put on record at the moment, and what is not on record is not answered.",
  {},
  { "Retry-After": "2" },
)

/** A call that could not be understood asked for nothing; the operator's is on record all the same. */
const NOT_UNDERSTOOD: ReadonlySet<number> = new Set([400, 413, 415])

/**
 * Gives the answer when the audit log has acknowledged its record, and none otherwise. A refusal is on record, too: who
 * asked for what they may not see. Nothing was given where the system failed; what a change may have done all the same
 * is recorded as far as possible.
 */
export const onRecord = <E extends Failure>(
  { credential, action, method, route, requestId, filters }: Recorded,
  answer: Effect.Effect<Answer, E, ClickHouse | Nats>,
): Effect.Effect<Answer, Failure, ClickHouse | Nats> => {
  const changes = method !== "GET"
  const isOperator = credential.kind === "operator"
  const write = (outcome: string, record: Answer["record"] = {}) =>
    writeAudit({
      tenant: record.tenant ?? credential.tenant ?? NO_TENANT,
      actor: actorOf(credential),
      action,
      route: `${method} ${route}`,
      ...(record.subject === undefined ? {} : { subject: record.subject }),
      filters: {
        ...withoutCursor(filters()),
        ...(record.before === undefined ? {} : { before: record.before }),
      },
      request_id: requestId,
      outcome,
    }).pipe(Effect.mapError(() => OFF_RECORD))
  const recorded = answer.pipe(
    Effect.tapError((failure) => {
      const { code } = refusalOf(failure)
      const [status] = PROBLEMS[code]
      if (NOT_UNDERSTOOD.has(status) && !isOperator) return Effect.void
      if (status < 500) return write(code)
      if (!changes && !isOperator) return Effect.void
      return write(code).pipe(Effect.catch(() => Effect.logWarning("a call that failed is not on record")))
    }),
    Effect.tap(({ record }) =>
      write("ok", record).pipe(
        // The change stands; the log is the one place that says so.
        Effect.tapError(() =>
          changes ? Effect.logError("a change that was made is not on record") : Effect.void,
        ),
      ),
    ),
    Effect.annotateLogs({ action, actor: credential.id, tenant: credential.tenant, request_id: requestId }),
  )
  // Whoever asks for a change and goes away must not leave it off the record.
  return changes ? Effect.uninterruptible(recorded) : recorded
}
