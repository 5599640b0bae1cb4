import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { Effect, Schema } from "effect"
import { TABLES } from "#schemas/names.ts"
import type { TargetHistoryParameters, TargetsParameters, TargetVersion } from "#schemas/report-targets.ts"
import type { TargetPeriod, TargetScope } from "#schemas/target.ts"
import { scopeParams } from "../auth/scope.ts"
import { cursors } from "./cursor.ts"
import { readNames } from "./names.ts"
import type { Report } from "./report.ts"
import { TARGET_IN_SCOPE } from "./target-scope.ts"

type Filters = TargetHistoryParameters

interface Row {
  readonly scope: TargetScope
  readonly scope_id: string
  readonly metric: string
  readonly period: TargetPeriod
  readonly holds_from: string
  readonly value: number | null
  readonly id: string
  readonly set_at: string
  readonly set_by: string
}

const CHOSEN = `tenant = {tenant:String}
  AND ${TARGET_IN_SCOPE}
  AND (empty({metrics:Array(String)}) OR metric IN {metrics:Array(String)})
  AND ({period:String} = '' OR period = {period:String})
  AND (empty({scopes:Array(String)}) OR scope IN {scopes:Array(String)})
  AND (empty({user_ids:Array(String)}) OR (scope = 'user' AND scope_id IN {user_ids:Array(String)}))
  AND (empty({team_ids:Array(String)}) OR (scope IN ('team', 'team_members') AND scope_id IN {team_ids:Array(String)}))`

/** What holds on a day: of each target the version of the greatest day, of that day's the last that was set. */
const CURRENT = `
SELECT
  scope, scope_id, metric, period,
  last.1 AS holds_from, last.2 AS value, last.3 AS id, last.4 AS set_at, last.5 AS set_by
FROM (
  SELECT
    scope, scope_id, metric, period,
    argMax((holds_from, value, event_id, set_at, set_by), (holds_from, set_at, event_id)) AS last
  FROM ${TABLES.targets}
  WHERE ${CHOSEN} AND holds_from <= {on:Date}
  GROUP BY scope, scope_id, metric, period
)
WHERE last.2 IS NOT NULL
  AND ({is_first:Bool} OR (scope, scope_id, metric, period)
    > ({after_scope:String}, {after_scope_id:String}, {after_metric:String}, {after_period:String}))
ORDER BY scope, scope_id, metric, period
LIMIT {limit:UInt32}`

/** Everything that was ever set, the newest first; a repeat is no version of its own. */
const HISTORY = `
SELECT DISTINCT scope, scope_id, metric, period, holds_from, value, event_id AS id, set_at, set_by
FROM ${TABLES.targets}
WHERE ${CHOSEN}
  AND ({is_first:Bool} OR (set_at, event_id)
    < (parseDateTime64BestEffort({after_set_at:String}, 3, 'UTC'), {after_event_id:String}))
ORDER BY set_at DESC, event_id DESC
LIMIT {limit:UInt32}`

const isInstant = (text: string): boolean => {
  const instant = Date.parse(text)
  return instant >= 0 && instant < Date.UTC(2200, 0) && new Date(instant).toISOString() === text
}

const currentPlaces = cursors(
  Schema.Struct({
    scope: Schema.String,
    scope_id: Schema.String,
    metric: Schema.String,
    period: Schema.String,
  }),
)
const historyPlaces = cursors(
  Schema.Struct({
    set_at: Schema.String.check(Schema.makeFilter(isInstant)),
    event_id: Schema.String,
  }),
)

type Asker = Pick<Report, "tenant" | "scope" | "settings">

const read = Effect.fnUntraced(function* (
  asker: Asker,
  { metric = [], period, scope = [], user_id = [], team_id = [], limit = 100 }: Filters,
  statement: string,
  more: Readonly<Record<string, unknown>>,
): Effect.fn.Return<
  { readonly rows: ReadonlyArray<TargetVersion>; readonly last: Row | undefined },
  ClickHouseError,
  ClickHouse
> {
  const store = yield* ClickHouse
  const found = yield* store.query<Row>(statement, {
    params: {
      tenant: asker.tenant,
      ...scopeParams(asker.scope),
      metrics: metric,
      period: period ?? "",
      scopes: scope,
      user_ids: user_id,
      team_ids: team_id,
      limit: limit + 1,
      ...more,
    },
  })
  const shown = found.slice(0, limit)
  const idsOf = (isUser: boolean) =>
    shown.flatMap((row) => ((row.scope === "user") === isUser ? row.scope_id : []))
  const { users, teams } = yield* Effect.all(
    { users: readNames(asker, "users", idsOf(true)), teams: readNames(asker, "teams", idsOf(false)) },
    { concurrency: "unbounded" },
  )
  return {
    rows: shown.map(({ scope: whom, scope_id, set_by, ...row }) => ({
      ...row,
      scope: whom,
      user_id: whom === "user" ? scope_id : null,
      team_id: whom === "user" || whom === "everyone" ? null : scope_id,
      name: (whom === "user" ? users : teams).get(scope_id)?.name ?? null,
      set_by: set_by === "" ? null : set_by,
    })),
    last: found.length > limit ? shown.at(-1) : undefined,
  }
})

/** The targets that hold on a day. */
export const readTargets = Effect.fn("readTargets")(function* (
  asker: Asker,
  parameters: TargetsParameters,
  on: string,
) {
  const place = yield* currentPlaces.read(asker.tenant, parameters)
  const { rows, last } = yield* read(asker, parameters, CURRENT, {
    on,
    is_first: place === undefined,
    after_scope: place?.scope ?? "",
    after_scope_id: place?.scope_id ?? "",
    after_metric: place?.metric ?? "",
    after_period: place?.period ?? "",
  })
  const next =
    last === undefined
      ? undefined
      : {
          scope: last.scope,
          scope_id: last.scope_id,
          metric: last.metric,
          period: last.period,
        }
  return { rows, nextCursor: next === undefined ? null : currentPlaces.write(asker.tenant, parameters, next) }
})

/** Every version of targets that was set. */
export const readTargetHistory = Effect.fn("readTargetHistory")(function* (
  asker: Asker,
  parameters: TargetHistoryParameters,
) {
  const place = yield* historyPlaces.read(asker.tenant, parameters)
  const { rows, last } = yield* read(asker, parameters, HISTORY, {
    is_first: place === undefined,
    after_set_at: place?.set_at ?? new Date(0).toISOString(),
    after_event_id: place?.event_id ?? "",
  })
  const next = last === undefined ? undefined : { set_at: last.set_at, event_id: last.id }
  return { rows, nextCursor: next === undefined ? null : historyPlaces.write(asker.tenant, parameters, next) }
})
