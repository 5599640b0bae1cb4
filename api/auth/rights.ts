import { RIGHTS } from "#schemas/rights.ts"
import type { Role } from "./credential.ts"

export type Right = (typeof RIGHTS)[number]

/** What each role may do without being granted anything. */
const BY_ROLE: Readonly<Record<Role | "operator", ReadonlyArray<Right>>> = {
  operator: [
    "send_actions",
    "send_directory",
    "see_catalog",
    "manage_keys",
    "see_data_quality",
    "manage_dead_letters",
  ],
  super_admin: RIGHTS,
  manager: ["see_catalog"],
  member: ["see_catalog"],
  recruiter: ["see_catalog"],
  producer: ["send_actions", "send_directory"],
}

/** What a super admin can let others do, each within the scope of the role. */
const GRANTABLE: Readonly<Record<Role, ReadonlyArray<Right>>> = {
  super_admin: [],
  manager: ["see_insights", "see_actions", "export"],
  member: ["see_insights", "see_actions", "export"],
  recruiter: ["see_clients", "see_actions", "export"],
  producer: [],
}

export const alwaysOf = (role: Role): ReadonlyArray<Right> => BY_ROLE[role]
export const grantableTo = (role: Role): ReadonlyArray<Right> => GRANTABLE[role]

/** A grant that its role cannot have (any more) gives nothing. */
export const rightsOf = (role: Role | "operator", granted: ReadonlyArray<Right>): ReadonlySet<Right> => {
  const grantable = role === "operator" ? [] : GRANTABLE[role]
  return new Set([...BY_ROLE[role], ...granted.filter((right) => grantable.includes(right))])
}

/** Roles that have a right without a grant, for messages and the specification. */
export const rolesWith = (right: Right): ReadonlyArray<string> =>
  Object.entries(BY_ROLE).flatMap(([role, rights]) => (rights.includes(right) ? [role] : []))

/** Roles that can be granted a right. */
export const rolesGrantable = (right: Right): ReadonlyArray<string> =>
  Object.entries(GRANTABLE).flatMap(([role, rights]) => (rights.includes(right) ? [role] : []))
