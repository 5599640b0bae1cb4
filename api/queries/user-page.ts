import { Effect } from "effect"
import { METRICS } from "#schemas/catalogue.ts"
import type { LICENSE_STATUSES, UserRow, UsersParameters } from "#schemas/report-user-insights.ts"
import { readLastActivity } from "./last-activity.ts"
import { type Names, readNames } from "./names.ts"
import type { Report } from "./report.ts"
import { readUserProgress } from "./target-progress.ts"
import { userOrder } from "./user-order.ts"
import { readUsers, type UserPageRow } from "./users.ts"

const STATUS_OF: Readonly<Record<string, (typeof LICENSE_STATUSES)[number]>> = {
  assigned: "live",
  enabled: "live",
  disabled: "disabled",
  deleted: "deleted",
}

const rowOf = (row: UserPageRow, teams: Names, lastActivity: ReadonlyMap<string, string>): UserRow => ({
  user_id: row.user_id,
  name: row.name,
  email: row.email,
  teams: row.team_ids.map((team_id) => ({ team_id, name: teams.get(team_id)?.name ?? null })),
  license_status: STATUS_OF[row.last_verb] ?? "none",
  is_active: row.active_days > 0,
  active_days: row.active_days,
  last_tracked_activity_at: row.last_at,
  last_activity_ever_at: lastActivity.get(row.user_id) ?? null,
  metrics: Object.fromEntries(METRICS.map((metric, index) => [metric, row.metrics[index] ?? 0])),
})

/** A page of the users report, with teams' names and last activities of its users alone. */
export const readUserPage = Effect.fn("readUserPage")(function* (
  parameters: UsersParameters,
  report: Report,
) {
  const { tenant } = report
  const { cursors } = userOrder(parameters)
  const place = yield* cursors.read(tenant, parameters)
  const { rows, next, unknownActors } = yield* readUsers(parameters, report, place)
  const { teams, lastActivity, progress } = yield* Effect.all(
    {
      teams: readNames(
        report,
        "teams",
        rows.flatMap((row) => row.team_ids),
      ),
      lastActivity: readLastActivity(report, rows),
      progress: parameters.targets === "true" ? readUserProgress(report, rows) : Effect.undefined,
    },
    { concurrency: "unbounded" },
  )
  return {
    rows: rows.map((row) => ({
      ...rowOf(row, teams, lastActivity),
      ...(progress === undefined ? {} : { targets: progress.get(row.user_id) ?? [] }),
    })),
    nextCursor: next === undefined ? null : cursors.write(tenant, parameters, next),
    unknownActors,
  }
})
