import { Effect } from "effect"
import type { TargetProgress } from "#schemas/report-targets.ts"
import type { Report } from "./report.ts"
import { readActuals } from "./target-actuals.ts"
import { partsOf } from "./target-periods.ts"
import { dueOf, progressOf, type Subject } from "./target-rules.ts"
import { readTeamsInScope } from "./target-scope.ts"
import { readVersions } from "./target-versions.ts"

const readProgress = Effect.fnUntraced(function* (
  report: Report,
  kind: Subject["kind"],
  subjects: ReadonlyArray<Subject>,
) {
  const parts = partsOf(report.range)
  const versions = yield* readVersions(
    report,
    {},
    {
      ...(kind === "user" ? { users: subjects.map(({ id }) => id) } : {}),
      teams: subjects.flatMap(({ id, teams }) => (kind === "team" ? [id] : teams)),
    },
  )
  const dues = subjects.flatMap((subject) => dueOf(subject, versions, parts))
  const actualOf = yield* readActuals(report, kind, parts, dues)
  const progress = new Map<string, ReadonlyArray<TargetProgress>>()
  for (const [id, own] of Map.groupBy(dues, (due) => due.id))
    progress.set(
      id,
      [...Map.groupBy(own, ({ metric, period }) => `${metric} ${period}`).values()].flatMap((some) => {
        const [first] = some
        if (first === undefined) return []
        return { metric: first.metric, period: first.period, ...progressOf(some, actualOf) }
      }),
    )
  return progress
})

/** How far each of these users is over the range, by metric and period; who has no target is missing. */
export const readUserProgress = Effect.fn("readUserProgress")(function* (
  report: Report,
  users: ReadonlyArray<{ readonly user_id: string; readonly team_ids: ReadonlyArray<string> }>,
) {
  const subjects = users.map(
    ({ user_id, team_ids }) => ({ kind: "user", id: user_id, teams: team_ids }) as const,
  )
  return yield* readProgress(report, "user", subjects)
})

/** How far each of these teams is as a whole, whatever the report's filters; teams out of scope are missing. */
export const readTeamProgress = Effect.fn("readTeamProgress")(function* (
  report: Report,
  teams: ReadonlyArray<string>,
) {
  const seen = yield* readTeamsInScope(report)
  const subjects = teams.flatMap((id) => (seen(id) ? ({ kind: "team", id, teams: [] } as const) : []))
  return yield* readProgress(report, "team", subjects)
})
