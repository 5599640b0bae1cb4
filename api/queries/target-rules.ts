import type { TargetProgress } from "#schemas/report-targets.ts"
import type { Part, Parts } from "./target-periods.ts"
import type { Found, TargetKey, Versions, Whom } from "./target-versions.ts"

/** One user or team. */
export interface Subject {
  readonly kind: "user" | "team"
  readonly id: string
  /** The teams that a user is in now. */
  readonly teams: ReadonlyArray<string>
}

/** A target that applies to somebody in a week or month. */
export interface Due extends TargetKey {
  readonly id: string
  readonly part: Part
  readonly found: Found
}

const EVERYONE: Whom = { scope: "everyone", id: "" }

const whomsOf = ({ kind, id, teams }: Subject): ReadonlyArray<Whom> =>
  kind === "team"
    ? [{ scope: "team", id }]
    : [
        { scope: "user", id },
        ...teams.toSorted().map((team) => ({ scope: "team_members", id: team }) as const),
        EVERYONE,
      ]

/** Who has a target of their own has that one; then the greatest of their teams' members; then everyone's. */
const applying = (subject: Subject, key: TargetKey, day: string, versions: Versions): Found | undefined => {
  let best: Found | undefined
  for (const whom of whomsOf(subject)) {
    if (best !== undefined && whom.scope !== best.whom.scope) break
    const found = versions.on(whom, key, day)
    if (found !== undefined && (best === undefined || found.value > best.value)) best = found
  }
  return best
}

/** What applies to somebody, by metric, period and part: of each week or month the target of its first day. */
export const dueOf = (subject: Subject, versions: Versions, parts: Parts): ReadonlyArray<Due> =>
  versions.keys(whomsOf(subject)).flatMap((key) =>
    parts[key.period].flatMap((part) => {
      const found = applying(subject, key, part.start, versions)
      return found === undefined ? [] : { ...key, id: subject.id, part, found }
    }),
  )

// No sum of shares of weeks and months lies half-way between two hundredths.
const hundredths = (value: number): number => Math.round(value * 100) / 100

/** What was done by somebody in a part, of a metric. */
export type Actual = (due: Due) => number

/** How far one is with what applies; the parts of one metric and period are added up. */
export const progressOf = (
  dues: ReadonlyArray<Due>,
  actualOf: Actual,
): Omit<TargetProgress, "metric" | "period"> => {
  const share = (days: (part: Part) => number): number =>
    hundredths(dues.reduce((sum, { found, part }) => sum + (found.value * days(part)) / part.length, 0))
  const [target, due] = [share(({ days }) => days), share(({ passed }) => passed)]
  const actual = dues.reduce((sum, one) => sum + actualOf(one), 0)
  return {
    target,
    due,
    actual,
    difference: hundredths(actual - due),
    on_track: actual >= due,
    reached: actual >= target,
  }
}
