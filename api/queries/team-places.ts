import { TABLES } from "#schemas/names.ts"

/** A team that the filter or the scope does not name would show some of its members only, so it is not shown. */
const SHOWN = `(empty({team_ids:Array(String)}) OR has({team_ids:Array(String)}, team_id))
      AND ({scope:String} != 'teams_of' OR has((
        SELECT max(record).team_ids FROM ${TABLES.users}
        WHERE tenant = {tenant:String} AND user_id = {scope_user:String}
      ), team_id))`

/** Where a row of the members counts: in each of the teams, or where those without one or unknown are counted. */
export const TEAMS_OF_MEMBER = `multiIf(
      unknown, [('unknown', '')],
      NOT member, [],
      empty(team_ids), [('none', '')],
      arrayMap(team_id -> ('team', team_id), arrayFilter(team_id -> ${SHOWN}, team_ids)))`
