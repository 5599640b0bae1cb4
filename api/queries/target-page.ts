import { Effect, Schema } from "effect"
import type { TargetReportParameters, TargetRow } from "#schemas/report-targets.ts"
import { cursors } from "./cursor.ts"
import type { Report } from "./report.ts"
import { type Actual, type Due, dueOf, progressOf } from "./target-rules.ts"
import { readActuals } from "./target-actuals.ts"
import { partsOf } from "./target-periods.ts"
import { type NamedSubject, readSubjects } from "./target-subjects.ts"
import { readVersions } from "./target-versions.ts"

/** The last row of a page. */
const Place = Schema.Struct({
  id: Schema.String,
  metric: Schema.String,
  period: Schema.String,
  start: Schema.String,
})
type Place = typeof Place.Type
const places = cursors(Place)

/** So many are looked at in one go: some of them may have no target in the range. */
const AT_ONCE = 500

const placeOf = ({ id, metric, period, part }: Due): Place => ({ id, metric, period, start: part.start })

const FIELDS = ["metric", "period", "start"] as const
/** Subjects come in the store's order, behind the place's own; only of that one a page may have had some rows. */
const isAfter = (due: Due, place: Place): boolean => {
  const own = placeOf(due)
  if (own.id !== place.id) return true
  const field = FIELDS.find((name) => own[name] !== place[name])
  return field !== undefined && own[field] > place[field]
}

const rowOf = (due: Due, subject: NamedSubject, actualOf: Actual): TargetRow => {
  const { metric, period, part, found } = due
  return {
    subject: subject.kind,
    id: subject.id,
    name: subject.name,
    metric,
    period,
    period_start: part.start,
    from: part.from,
    to: part.to,
    days: part.days,
    days_passed: part.passed,
    value: found.value,
    scope: found.whom.scope,
    scope_id: found.whom.id === "" ? null : found.whom.id,
    ...progressOf([due], actualOf),
  }
}

/** A page of the targets report: by id, metric and period, one row a week or month. */
export const readTargetPage = Effect.fn("readTargetPage")(function* (
  parameters: TargetReportParameters,
  report: Report,
) {
  const { limit = 100 } = parameters
  const place = yield* places.read(report.tenant, parameters)
  const parts = partsOf(report.range)
  const subjects = new Map<string, NamedSubject>()
  const dues: Array<Due> = []
  for (let first = place?.id ?? "", more = true; more && dues.length <= limit;) {
    const found = yield* readSubjects(parameters, report, first, AT_ONCE)
    const batch = found.filter(({ id }) => !subjects.has(id))
    const versions = yield* readVersions(report, parameters, {
      users: batch.map(({ id }) => id),
      teams: batch.flatMap(({ kind, id, teams }) => (kind === "team" ? [id] : teams)),
    })
    for (const subject of batch) {
      subjects.set(subject.id, subject)
      const own = dueOf(subject, versions, parts)
      dues.push(...(place === undefined ? own : own.filter((due) => isAfter(due, place))))
      if (dues.length > limit) break
    }
    first = found.at(-1)?.id ?? ""
    more = found.length === AT_ONCE
  }
  const shown = dues.slice(0, limit)
  const actualOf = yield* readActuals(report, parameters.subject ?? "user", parts, shown)
  const last = shown.at(-1)
  return {
    rows: shown.flatMap((due) => {
      const subject = subjects.get(due.id)
      return subject === undefined ? [] : rowOf(due, subject, actualOf)
    }),
    nextCursor:
      dues.length > limit && last !== undefined
        ? places.write(report.tenant, parameters, placeOf(last))
        : null,
  }
})
