import { Clock, Effect, Schema } from "effect"
import type { Nats, NatsError } from "#nats/connection.ts"
import { BUCKETS } from "#schemas/names.ts"
import { RIGHTS } from "#schemas/rights.ts"
import { changeRecord } from "./bucket.ts"
import type { Role } from "./credential.ts"
import type { Right } from "./rights.ts"
import { recordReader } from "./tenant-record.ts"

/** What the bucket `grants` holds of a tenant: rights by subject, which is `role:<role>` or `key:<id of a key>`. */
export const GrantsRecord = Schema.Struct({
  grants: Schema.Record(Schema.String, Schema.Array(Schema.Literals(RIGHTS))),
  /** Who changed each subject's last: the id of a credential. */
  changed: Schema.optionalKey(
    Schema.Record(Schema.String, Schema.Struct({ at: Schema.String, by: Schema.String })),
  ),
})
export type GrantsRecord = typeof GrantsRecord.Type

const NOTHING: GrantsRecord = { grants: {} }

/** For every call: remembers a tenant's record for a moment. */
export const grantsReader = () => recordReader(BUCKETS.grants, GrantsRecord, NOTHING, NOTHING)

/** As they are now. */
export const readGrants = Effect.fn("readGrants")(function* (
  tenant: string,
): Effect.fn.Return<GrantsRecord, NatsError, Nats> {
  return yield* recordReader(BUCKETS.grants, GrantsRecord, NOTHING, NOTHING)(tenant)
})

/**
 * Sets what a subject is granted; no right at all takes everything back. `check` sees what it is granted at the moment of
 * the change, and may refuse.
 */
export const setGrant = Effect.fn("setGrant")(function* <E>(
  tenant: string,
  {
    subject,
    rights,
    by,
  }: { readonly subject: string; readonly rights: ReadonlyArray<Right>; readonly by: string },
  check: (held: ReadonlyArray<Right>) => Effect.Effect<void, E>,
): Effect.fn.Return<{ readonly before: GrantsRecord; readonly after: GrantsRecord }, E | NatsError, Nats> {
  const at = new Date(yield* Clock.currentTimeMillis).toISOString()
  const { before = NOTHING, after } = yield* changeRecord(
    BUCKETS.grants,
    GrantsRecord,
    tenant,
    Effect.fnUntraced(function* ({ grants, changed }: GrantsRecord = NOTHING) {
      const { [subject]: held = [], ...others } = grants
      yield* check(held)
      return {
        grants: rights.length === 0 ? others : { ...others, [subject]: rights },
        changed: { ...changed, [subject]: { at, by } },
      }
    }),
  )
  return { before, after }
})

/** What is granted to a role and to the one credential. */
export const grantedTo = ({ grants }: GrantsRecord, role: Role, id: string): ReadonlyArray<Right> => [
  ...(grants[`role:${role}`] ?? []),
  ...(grants[`key:${id}`] ?? []),
]

/** Takes back what was granted to a key that is revoked, so that nobody wonders about it. */
export const forgetKey = Effect.fn("forgetKey")(function* (tenant: string, id: string, by: string) {
  const subject = `key:${id}`
  if ((yield* readGrants(tenant)).grants[subject] === undefined) return
  yield* setGrant(tenant, { subject, rights: [], by }, () => Effect.void)
})
