import { Schema } from "effect"
import { BUCKETS } from "#schemas/names.ts"
import { RIGHTS } from "#schemas/rights.ts"
import type { Role } from "./credential.ts"
import type { Right } from "./rights.ts"
import { recordReader } from "./tenant-record.ts"

/** What the bucket `grants` holds of a tenant: rights by subject, which is `role:<role>` or `key:<id of a key>`. */
export const GrantsRecord = Schema.Struct({
  grants: Schema.Record(Schema.String, Schema.Array(Schema.Literals(RIGHTS))),
})
export type GrantsRecord = typeof GrantsRecord.Type

export const grantsReader = () => recordReader(BUCKETS.grants, GrantsRecord, { grants: {} })

/** What is granted to a role and to the one credential. */
export const grantedTo = ({ grants }: GrantsRecord, role: Role, id: string): ReadonlyArray<Right> => [
  ...(grants[`role:${role}`] ?? []),
  ...(grants[`key:${id}`] ?? []),
]
