import type { ClickHouse, ClickHouseError } from "#clickhouse"
import { Effect } from "effect"
import { TABLES } from "#schemas/names.ts"
import type { TargetPeriod, TargetScope } from "#schemas/target.ts"
import { ask } from "./memory.ts"
import type { Report } from "./report.ts"

/** Which targets are asked for. */
export interface TargetFilters {
  readonly metric?: ReadonlyArray<string>
  readonly period?: TargetPeriod
}

/** A target as it holds from a day on: the last that was said for that day. Without a value there is none any more. */
interface Version {
  readonly scope: TargetScope
  readonly scope_id: string
  readonly metric: string
  readonly period: TargetPeriod
  readonly holds_from: string
  readonly last_value: number | null
}

// argMax passes over NULL, a tuple of it is none.
const STATEMENT = `
SELECT
  scope, scope_id, metric, period, holds_from,
  argMax(tuple(value), (set_at, event_id)).1 AS last_value
FROM ${TABLES.targets}
WHERE tenant = {tenant:String}
  AND (scope = 'everyone'
    OR (scope = 'user' AND scope_id IN {user_ids:Array(String)})
    OR (scope IN ('team', 'team_members') AND scope_id IN {team_ids:Array(String)}))
  AND (empty({metrics:Array(String)}) OR metric IN {metrics:Array(String)})
  AND ({period:String} = '' OR period = {period:String})
GROUP BY scope, scope_id, metric, period, holds_from
ORDER BY scope, scope_id, metric, period, holds_from`

export interface Whom {
  readonly scope: TargetScope
  readonly id: string
}

/** What one asks of a target: of which metric, by week or month. */
export interface TargetKey {
  readonly metric: string
  readonly period: TargetPeriod
}

/** A value and for whom it was set. */
export interface Found {
  readonly value: number
  readonly whom: Whom
}

const keyOf = ({ scope, id }: Whom): string => `${scope} ${id}`

const compare = (one: TargetKey, other: TargetKey): number =>
  one.metric === other.metric ? (one.period < other.period ? -1 : 1) : one.metric < other.metric ? -1 : 1

/** Targets of some users and teams, with all their changes. */
export class Versions {
  readonly #byWhom = new Map<string, Map<string, Array<Version>>>()

  /** Each target's versions in the order of the days from which they hold. */
  constructor(versions: ReadonlyArray<Version>) {
    for (const version of versions) {
      const whom = keyOf({ scope: version.scope, id: version.scope_id })
      const keys = this.#byWhom.get(whom) ?? new Map<string, Array<Version>>()
      const key = `${version.metric} ${version.period}`
      keys.set(key, [...(keys.get(key) ?? []), version])
      this.#byWhom.set(whom, keys)
    }
  }

  /** What there ever was a target for, ordered by name. */
  keys(whoms: ReadonlyArray<Whom>): ReadonlyArray<TargetKey> {
    const found = new Map<string, TargetKey>()
    for (const whom of whoms)
      for (const [key, [first]] of this.#byWhom.get(keyOf(whom)) ?? [])
        if (first !== undefined) found.set(key, { metric: first.metric, period: first.period })
    return [...found.values()].toSorted(compare)
  }

  /** What was set for exactly these, as it holds on a day. */
  on(whom: Whom, { metric, period }: TargetKey, day: string): Found | undefined {
    const versions = this.#byWhom.get(keyOf(whom))?.get(`${metric} ${period}`) ?? []
    const value = versions.findLast(({ holds_from }) => holds_from <= day)?.last_value ?? null
    return value === null ? undefined : { value, whom }
  }
}

/** The versions of everyone's targets and of those of these users and teams. */
export const readVersions = Effect.fn("readVersions")(function* (
  { tenant, version }: Pick<Report, "tenant" | "version">,
  { metric = [], period }: TargetFilters,
  { users = [], teams = [] }: { readonly users?: Iterable<string>; readonly teams?: Iterable<string> },
): Effect.fn.Return<Versions, ClickHouseError, ClickHouse> {
  const params = {
    tenant,
    user_ids: [...new Set(users)],
    team_ids: [...new Set(teams)],
    metrics: metric,
    period: period ?? "",
  }
  const rows = yield* ask<Version>(version, STATEMENT, params, [{ table: TABLES.targets }])
  return new Versions(rows)
})
