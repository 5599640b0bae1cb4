import { sha256 } from "../deploy/bi/user.ts"
import { type BiUser } from "../deploy/bi/users-file.ts"
import type { Asking } from "./ask-store.ts"

/** Tenants that have BI users in the run's store, as no other test can give it any. A test file takes its own. */
export const BI_TENANTS = {
  ours: "bi-ours",
  theirs: "bi-theirs",
  queries: "bi-queries",
  dashboard: "bi-dashboard",
} as const

const PASSWORD = "a BI user's password"

const userOf = (tenant: string, names: boolean): BiUser => ({
  user: names ? `bi_${tenant}` : `bi_${tenant}_anonymous`,
  tenant,
  names,
  password_sha256: sha256(PASSWORD),
  created_at: "2026-11-22T00:00:00.000Z",
})

export const BI_USERS: ReadonlyArray<BiUser> = Object.values(BI_TENANTS).flatMap((tenant) => [
  userOf(tenant, true),
  userOf(tenant, false),
])

/** Asks as a tenant's BI user. */
export const asBiUser = (tenant: string, names = true): Asking => ({
  user: userOf(tenant, names).user,
  password: PASSWORD,
})
