import { TABLES } from "#schemas/names.ts"
import { USERS_IN_SCOPE } from "../auth/scope.ts"

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
