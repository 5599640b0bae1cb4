import type { ExportJob } from "#schemas/export-job.ts"
import type { ExportRequest } from "#schemas/export.ts"
import type { Credential, TenantCredential } from "../auth/credential.ts"
import { type Right, rolesGrantable, rolesWith } from "../auth/rights.ts"
import type { Scope } from "../auth/scope.ts"
import { type Refused, refuse } from "../http/failure.ts"

const RIGHT_OF: Readonly<Record<ExportRequest["report"], Right>> = {
  user_actions: "see_actions",
  user_insights: "see_insights",
}

/** Who a job belongs to: a person with several keys is one person. */
export const ownerOf = ({ id, user }: Credential): string => (user === undefined ? id : `user:${user}`)

/** Whether whoever sees the one sees all of the other. */
const covers = (mine: Scope, others: Scope): boolean => {
  if (mine.kind === "everybody") return true
  if (others.kind === "everybody" || mine.user !== others.user) return false
  return mine.kind === "teams_of" || others.kind === "self"
}

/** A job is shown to whoever asked for it, while they may still see as much, and to super admins. */
export const maySee = (credential: TenantCredential, { owner, snapshot }: ExportJob): boolean =>
  credential.role === "super_admin" ||
  (owner === ownerOf(credential) && covers(credential.scope, snapshot.scope))

/** A report is exported by whoever may see it; undefined when they may. */
export const refusedReport = (
  { role, rights }: Credential,
  { report }: Pick<ExportRequest, "report">,
): Refused | undefined => {
  const right = RIGHT_OF[report]
  if (rights.has(right)) return undefined
  const granted = rolesGrantable(right).join(" or ")
  return refuse("forbidden", `A credential with the role ${role} may not see what ${report} exports.`, {
    hint: `It takes one with the role ${rolesWith(right).join(" or ")}, or a grant of ${right} to a ${granted}.`,
  })
}
