import type { ClickHouse, ClickHouseError } from "#clickhouse"
import { Effect } from "effect"
import { TABLES } from "#schemas/names.ts"
import type { TargetReportParameters } from "#schemas/report-targets.ts"
import { scopeParams } from "../auth/scope.ts"
import { activityOf } from "./activity.ts"
import { memberReads } from "./member-rows.ts"
import { ask } from "./memory.ts"
import { readNames } from "./names.ts"
import { LICENSES, licenseParams, PEOPLE, PEOPLE_READS, peopleParams } from "./people.ts"
import type { Report } from "./report.ts"
import type { Subject } from "./target-rules.ts"
import { OWN_TEAMS } from "./target-scope.ts"

export interface NamedSubject extends Subject {
  readonly name: string | null
}

/** Who has a target that any part of the range can fall under. */
const HOLDERS = `
  SELECT DISTINCT scope, scope_id FROM ${TABLES.targets}
  WHERE tenant = {tenant:String} AND holds_from <= {to:Date}`

/** Members as in the users report, who had a licence or did something in the range, with a target that may apply. */
const users = (rows: string): string => `
WITH holders AS (${HOLDERS})
SELECT user_id AS id, name, team_ids
FROM (${PEOPLE})
WHERE member AND user_id >= {first:String}
  AND (user_id IN (SELECT user_id FROM (${LICENSES}) WHERE live_at_some_time)
    OR user_id IN (SELECT user_id FROM (${rows}) GROUP BY user_id HAVING sum(events) > 0))
  AND ((SELECT count() FROM holders WHERE scope = 'everyone') > 0
    OR user_id IN (SELECT scope_id FROM holders WHERE scope = 'user')
    OR hasAny(team_ids, (SELECT groupArray(scope_id) FROM holders WHERE scope = 'team_members')))
ORDER BY id
LIMIT {limit:UInt32}`

const TEAMS = `
SELECT DISTINCT scope_id AS id FROM (${HOLDERS})
WHERE scope = 'team' AND scope_id >= {first:String}
  AND (empty({team_ids:Array(String)}) OR has({team_ids:Array(String)}, scope_id))
  AND ({scope:String} = 'everybody' OR ({scope:String} = 'teams_of' AND scope_id IN (${OWN_TEAMS})))
ORDER BY id
LIMIT {limit:UInt32}`

interface UserRow {
  readonly id: string
  readonly name: string | null
  readonly team_ids: ReadonlyArray<string>
}

/** At most `limit` users or teams in the order of their ids, from `first` on. */
export const readSubjects = Effect.fn("readSubjects")(function* (
  parameters: TargetReportParameters,
  report: Report,
  first: string,
  limit: number,
): Effect.fn.Return<ReadonlyArray<NamedSubject>, ClickHouseError, ClickHouse> {
  const { tenant, range, scope, version } = report
  const targets = { table: TABLES.targets }
  const common = { tenant, to: range.to, first, limit }
  if (parameters.subject === "team") {
    const params = { ...common, ...scopeParams(scope), team_ids: parameters.team_id ?? [] }
    const rows = yield* ask<{ readonly id: string }>(version, TEAMS, params, [targets, ...PEOPLE_READS])
    const names = yield* readNames(
      report,
      "teams",
      rows.map(({ id }) => id),
    )
    return rows.map(({ id }) => ({ kind: "team", id, teams: [], name: names.get(id)?.name ?? null }))
  }
  const activity = activityOf(report)
  const params = {
    ...activity.params,
    ...peopleParams(parameters, report),
    ...licenseParams(range),
    ...common,
  }
  const rows = yield* ask<UserRow>(version, users(activity.rows), params, [targets, ...memberReads(report)])
  return rows.map(({ id, name, team_ids }) => ({ kind: "user", id, teams: team_ids, name }))
})
