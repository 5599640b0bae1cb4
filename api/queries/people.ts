import { TABLES } from "#schemas/names.ts"
import type { TenantSettings } from "#schemas/tenant-settings.ts"
import { IN_SCOPE, type Scope, scopeParams } from "../auth/scope.ts"
import { type Range, licensedSpan } from "./range.ts"
import { dateTime64 } from "./statement.ts"

/** Which members a report is about. A value list is an "or", several lists are an "and". */
export interface PeopleFilters {
  readonly team_id?: ReadonlyArray<string>
  readonly user_email?: ReadonlyArray<string>
  readonly user_id?: ReadonlyArray<string>
}

export const peopleParams = (
  { team_id = [], user_email = [], user_id = [] }: PeopleFilters,
  { scope, settings }: { readonly scope: Scope; readonly settings: Pick<TenantSettings, "hide_names"> },
) => ({
  ...scopeParams(scope),
  hide_names: settings.hide_names,
  team_ids: team_id,
  user_emails: user_email,
  user_ids: user_id,
})

/**
 * Everybody whom the directory knows: (user_id, known, member, name, email, team_ids). `member` is true for the
 * population of the report. Whoever was erased stays in the numbers without a name; one of whom nothing but the
 * erasure was told counts as a member when there are licences or a member's actions.
 */
export const PEOPLE = `
  SELECT
    user_id,
    true AS known,
    (record.kind = 'member' OR (personal.erased AND record.kind = ''))
      AND (empty({team_ids:Array(String)}) OR hasAny(record.team_ids, {team_ids:Array(String)}))
      AND (empty({user_emails:Array(String)})
        OR has(arrayMap(email -> lowerUTF8(email), {user_emails:Array(String)}), lowerUTF8(personal.email)))
      AND (empty({user_ids:Array(String)}) OR has({user_ids:Array(String)}, user_id))
      AND ${IN_SCOPE} AS member,
    if(personal.erased OR {hide_names:Bool}, NULL, personal.name) AS name,
    if(personal.erased OR {hide_names:Bool}, NULL, personal.email) AS email,
    record.team_ids AS team_ids
  FROM (
    SELECT user_id, max(record) AS record, max(personal) AS personal
    FROM ${TABLES.users} WHERE tenant = {tenant:String} GROUP BY user_id
  )`

/**
 * True for whoever acted, as (activity.user_id), and is not in the directory. Only those who see everybody are told:
 * of whom nothing is known it is not known either whose team they are in.
 */
export const UNKNOWN = `NOT people.known AND {scope:String} = 'everybody'
      AND (empty({user_ids:Array(String)}) OR has({user_ids:Array(String)}, activity.user_id))`

/** What it is read from. */
export const PEOPLE_READS = [{ table: TABLES.users }] as const

/** The ids of the population. */
export const MEMBERS = `SELECT user_id FROM (${PEOPLE}) WHERE member`

/**
 * Licences of the range: (user_id, last_verb, live_at_end, live_at_some_time, live_throughout). A licence's state at
 * an instant is that of the last event at or before it; of several at one time the greatest event id is the last.
 * Milliseconds are the smallest time, so a licence that goes live is live at some instant.
 */
export const LICENSES = `
  SELECT
    user_id,
    argMax(verb, time) AS last_verb,
    last_verb IN ('assigned', 'enabled') AS live_at_end,
    argMaxIf(verb, time, time <= {licensed_from:DateTime64(3, 'UTC')}) IN ('assigned', 'enabled') AS live_at_start,
    live_at_start OR countIf(time > {licensed_from:DateTime64(3, 'UTC')} AND verb IN ('assigned', 'enabled')) > 0
      AS live_at_some_time,
    live_at_start AND countIf(time > {licensed_from:DateTime64(3, 'UTC')} AND verb NOT IN ('assigned', 'enabled')) = 0
      AS live_throughout
  FROM (
    SELECT user_id, time, argMax(verb, event_id) AS verb
    FROM ${TABLES.licenseEvents}
    WHERE tenant = {tenant:String} AND time < {licensed_until:DateTime64(3, 'UTC')}
    GROUP BY user_id, time
  )
  GROUP BY user_id`

export const licenseParams = (range: Range) => {
  const { start, end } = licensedSpan(range)
  return { licensed_from: dateTime64(start), licensed_until: dateTime64(end) }
}
