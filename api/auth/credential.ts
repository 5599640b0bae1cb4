import { createHash, timingSafeEqual } from "node:crypto"
import { Schema } from "effect"
import { TENANT } from "#schemas/patterns.ts"

export const ROLES = ["super_admin", "manager", "member", "recruiter", "producer"] as const
export type Role = (typeof ROLES)[number]

/** What the bucket `api-keys` holds under the SHA-256 of a key. The key itself is stored nowhere. */
export const KeyRecord = Schema.Struct({
  tenant: Schema.String.check(Schema.isPattern(TENANT)),
  role: Schema.Literals(ROLES),
  /** The user of the directory whom the key stands for. */
  user: Schema.optionalKey(Schema.String),
  /** What people call the key. */
  name: Schema.optionalKey(Schema.String),
  created_at: Schema.String,
})
export type KeyRecord = typeof KeyRecord.Type

/** Who asks: the operator, who belongs to no tenant, or somebody of a tenant. */
export type Credential =
  | { readonly role: "operator"; readonly tenant: undefined }
  | { readonly role: Role; readonly tenant: string }

/** What a route asks of a credential. */
export type Right = "send_actions" | "send_directory" | "see_catalog" | "see_reports"

const SENDS = ["send_actions", "send_directory"] as const
const RIGHTS: Readonly<Record<Credential["role"], ReadonlyArray<Right>>> = {
  operator: [...SENDS, "see_catalog"],
  super_admin: [...SENDS, "see_catalog", "see_reports"],
  manager: ["see_catalog"],
  member: ["see_catalog"],
  recruiter: ["see_catalog"],
  producer: SENDS,
}

export const allows = (credential: Credential, right: Right): boolean =>
  RIGHTS[credential.role].includes(right)

/** Roles that have a right, for messages and the specification. */
export const rolesWith = (right: Right): ReadonlyArray<string> =>
  Object.entries(RIGHTS).flatMap(([role, rights]) => (rights.includes(right) ? [role] : []))

export const sha256 = (text: string): Buffer => createHash("sha256").update(text).digest()

/** Compares secrets in a time that does not depend on where they differ, nor on their lengths. */
export const isSameSecret = (one: string, other: string): boolean =>
  timingSafeEqual(sha256(one), sha256(other))
