import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { Effect } from "effect"
import { TABLES } from "#schemas/names.ts"
import { MEMBERS, peopleParams } from "./people.ts"
import type { Report } from "./report.ts"

interface Named {
  readonly user_id?: string
  readonly team_id?: string
}

const MEMBER = `SELECT 1 FROM (${MEMBERS}) LIMIT 1`
const TEAM = `SELECT 1 FROM ${TABLES.teams} WHERE tenant = {tenant:String} AND team_id = {team_id:String} LIMIT 1`

/** Whether the directory knows the member or team that a target is for. */
export const isKnown = Effect.fn("isKnown")(function* (
  report: Pick<Report, "tenant" | "scope" | "settings">,
  { user_id, team_id }: Named,
): Effect.fn.Return<boolean, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  const { tenant } = report
  if (team_id !== undefined) {
    const teams = yield* store.query(TEAM, { params: { tenant, team_id } })
    return teams.length > 0
  }
  if (user_id === undefined) return true
  const members = yield* store.query(MEMBER, {
    params: { tenant, ...peopleParams({ user_id: [user_id] }, report) },
  })
  return members.length > 0
})
