import { createHash, timingSafeEqual } from "node:crypto"
import { Schema } from "effect"
import { TENANT } from "#schemas/patterns.ts"
import { ROLES } from "#schemas/rights.ts"
import type { TenantSettings } from "#schemas/tenant-settings.ts"
import type { Right } from "./rights.ts"
import type { Scope } from "./scope.ts"

export type Role = (typeof ROLES)[number]

/** What the bucket `api-keys` holds under `<tenant>.<SHA-256 of the key>`. The key itself is stored nowhere. */
export const KeyRecord = Schema.Struct({
  tenant: Schema.String.check(Schema.isPattern(TENANT)),
  role: Schema.Literals(ROLES),
  /** The user of the directory whom the key stands for. */
  user: Schema.optionalKey(Schema.String),
  /** What people call the key. */
  name: Schema.optionalKey(Schema.String),
  created_at: Schema.String,
  /** The id of the credential that asked for it. */
  created_by: Schema.optionalKey(Schema.String),
  expires_at: Schema.optionalKey(Schema.String),
  revoked_at: Schema.optionalKey(Schema.String),
  revoked_by: Schema.optionalKey(Schema.String),
})
export type KeyRecord = typeof KeyRecord.Type

interface Holder {
  readonly kind: "key" | "jwt" | "operator"
  /** Names the credential without being one: for the audit log. */
  readonly id: string
  /** What people call it. */
  readonly name: string | undefined
  /** The user of the directory whom the credential stands for. */
  readonly user: string | undefined
  readonly rights: ReadonlySet<Right>
  readonly scope: Scope
  readonly settings: TenantSettings
}

/** Who asks: the operator, who belongs to no tenant, or somebody of a tenant. */
export type TenantCredential = Holder & { readonly role: Role; readonly tenant: string }
export type Credential =
  | (Holder & { readonly role: "operator"; readonly tenant: undefined })
  | TenantCredential

/** Whether a key has had its time. */
export const isExpired = ({ expires_at }: KeyRecord, now: number): boolean =>
  expires_at !== undefined && Date.parse(expires_at) <= now

export const sha256 = (text: string): Buffer => createHash("sha256").update(text).digest()

/** Compares secrets in a time that does not depend on where they differ, nor on their lengths. */
export const isSameSecret = (one: string, other: string): boolean =>
  timingSafeEqual(sha256(one), sha256(other))
