import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { Effect } from "effect"
import { TABLES } from "#schemas/names.ts"
import { scopeParams, USERS_IN_SCOPE } from "../auth/scope.ts"
import type { Report } from "./report.ts"

/** The teams that the credential's user is in now. */
export const OWN_TEAMS = `
    SELECT arrayJoin(record.team_ids) AS team_id FROM (
      SELECT max(record) AS record FROM ${TABLES.users}
      WHERE tenant = {tenant:String} AND user_id = {scope_user:String}
    )`

/** True for a target (scope, scope_id) that the credential may know of: its own, its teams', its people's, everyone's. */
export const TARGET_IN_SCOPE = `({scope:String} = 'everybody'
    OR scope = 'everyone'
    OR (scope = 'user' AND scope_id IN (${USERS_IN_SCOPE}))
    OR (scope IN ('team', 'team_members') AND scope_id IN (${OWN_TEAMS})))`

/** Which teams' sums the credential may see: a member sees none, a manager those of the own teams. */
export const readTeamsInScope = Effect.fn("readTeamsInScope")(function* ({
  tenant,
  scope,
}: Pick<Report, "tenant" | "scope">): Effect.fn.Return<
  (team: string) => boolean,
  ClickHouseError,
  ClickHouse
> {
  if (scope.kind === "everybody") return () => true
  if (scope.kind === "self") return () => false
  const store = yield* ClickHouse
  const rows = yield* store.query<{ readonly team_id: string }>(OWN_TEAMS, {
    params: { tenant, ...scopeParams(scope) },
  })
  const own = new Set(rows.map(({ team_id }) => team_id))
  return (team) => own.has(team)
})
