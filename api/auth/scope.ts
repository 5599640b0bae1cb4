import { TABLES } from "#schemas/names.ts"
import type { Role } from "./credential.ts"

/** Whose activity a credential sees, whatever it may do. */
export type Scope =
  | { readonly kind: "everybody" }
  /** The members of the teams that the user is in now, and the user. */
  | { readonly kind: "teams_of"; readonly user: string }
  | { readonly kind: "self"; readonly user: string }

export const EVERYBODY: Scope = { kind: "everybody" }

/** A manager or member without a user sees nobody: no user has an empty id. */
export const scopeOf = (role: Role, user = ""): Scope => {
  if (role === "manager") return { kind: "teams_of", user }
  return role === "member" ? { kind: "self", user } : EVERYBODY
}

export const scopeParams = (scope: Scope) => ({
  scope: scope.kind,
  scope_user: scope.kind === "everybody" ? "" : scope.user,
})

/** True for a row (user_id, record) of the directory's users that is within the scope. */
export const IN_SCOPE = `({scope:String} = 'everybody'
        OR user_id = {scope_user:String}
        OR ({scope:String} = 'teams_of' AND hasAny(record.team_ids, (
          SELECT max(record).team_ids FROM ${TABLES.users}
          WHERE tenant = {tenant:String} AND user_id = {scope_user:String}))))`

/** The ids of the users within the scope. */
export const USERS_IN_SCOPE = `
    SELECT user_id
    FROM (SELECT user_id, max(record) AS record FROM ${TABLES.users} WHERE tenant = {tenant:String} GROUP BY user_id)
    WHERE ${IN_SCOPE}`
