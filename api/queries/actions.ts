import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { Effect } from "effect"
import type { Pin } from "#schemas/export.ts"
import { TABLES } from "#schemas/names.ts"
import type { ActionsParameters } from "#schemas/report-actions.ts"
import { type Scope, scopeParams, USERS_IN_SCOPE } from "../auth/scope.ts"
import { PINNED, pinParams } from "./pin.ts"
import type { Report } from "./report.ts"
import { dateTime64 } from "./statement.ts"

export interface StoredAction {
  readonly id: string
  readonly type: string
  readonly time: string
  readonly source: string
  readonly actor_id: string
  readonly actor_type: "member" | "client" | "candidate" | "service" | "system"
  readonly impersonator_id: string
  readonly automated: boolean
  readonly quantity: number
  readonly client_id: string
  readonly candidate_id: string
  readonly contact_id: string
  readonly job_id: string
  readonly page: string
  readonly channel: string
  readonly session_id: string
  readonly properties: string
}

/** The last row of a page. */
export interface ActionPlace {
  /** Milliseconds since 1970. */
  readonly time: number
  readonly id: string
}

const FILTERS = {
  client_id: "client_id IN {client_id:Array(String)}",
  user_id: "actor_id IN {user_id:Array(String)}",
  user_email: `actor_id IN (
    SELECT user_id FROM (
      SELECT user_id, max(personal) AS personal FROM ${TABLES.users} WHERE tenant = {tenant:String} GROUP BY user_id
    )
    WHERE lowerUTF8(personal.email) IN (SELECT lowerUTF8(arrayJoin({user_email:Array(String)}))))`,
  candidate_id: "candidate_id IN {candidate_id:Array(String)}",
  job_id: "job_id IN {job_id:Array(String)}",
  action: "type IN {action:Array(String)}",
} as const
type Filter = keyof typeof FILTERS
/** Which actions of a range a list is about. A value list is an "or", several lists are an "and". */
export type ActionFilters = Pick<ActionsParameters, Filter>

const filtersIn = (parameters: ActionFilters): ReadonlyArray<Filter> =>
  (Object.keys(FILTERS) as Array<Filter>).filter((filter) => (parameters[filter]?.length ?? 0) > 0)

/**
 * Of a user within the scope; the user of the credential's own actions are, whatever the directory knows. Candidates and
 * services have ids of their own kind, which may be equal to a user's.
 */
const SCOPED = `actor_type IN ('member', 'client')
    AND (actor_id = {scope_user:String} OR actor_id IN (${USERS_IN_SCOPE}))`

/** What is true of a row of the log that a list holds. */
export const logConditions = (scope: Scope, parameters: ActionFilters): ReadonlyArray<string> => [
  "tenant = {tenant:String}",
  "time >= {start:DateTime64(3, 'UTC')} AND time < {end:DateTime64(3, 'UTC')}",
  PINNED,
  ...(scope.kind === "everybody" ? [] : [SCOPED]),
  ...filtersIn(parameters).map((filter) => FILTERS[filter]),
]

/** What `logConditions` take. */
export const logParams = (
  { tenant, scope }: Pick<Report, "tenant" | "scope">,
  parameters: ActionFilters,
  pin: Pin,
  { start, end }: { readonly start: number; readonly end: number },
) => ({
  ...Object.fromEntries(filtersIn(parameters).map((filter) => [filter, parameters[filter]])),
  ...scopeParams(scope),
  tenant,
  start: dateTime64(start),
  end: dateTime64(end),
  ...pinParams(pin),
})

const statement = (scope: Scope, parameters: ActionFilters, place: ActionPlace | undefined): string => `
SELECT
  id, type, time, source, actor_id, actor_type, impersonator_id, automated, quantity, client_id, candidate_id,
  contact_id, job_id, page, channel, session_id, properties
FROM ${TABLES.actions}
WHERE ${[
  ...logConditions(scope, parameters),
  ...(place === undefined ? [] : ["(time, id) < ({before_time:DateTime64(3, 'UTC')}, {before_id:String})"]),
].join("\n  AND ")}
ORDER BY time DESC, id DESC
LIMIT {limit:UInt32}`

const DAY = 86_400_000
const WIDER = 8

/**
 * The newest actions of a range before a place. The store keeps actions by day, not by time, so a look at the whole
 * range would read all of it; looking back a day first, then ever further, ends soon for all but the rarest filters.
 */
export const readActions = Effect.fn("readActions")(function* (
  report: Report,
  parameters: ActionsParameters,
  pin: Pin,
  place: ActionPlace | undefined,
  limit: number,
): Effect.fn.Return<ReadonlyArray<StoredAction>, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  const { range, scope } = report
  const found: Array<StoredAction> = []
  let end = place === undefined ? range.end : Math.min(range.end, place.time + 1)
  for (let span = DAY; end > range.start && found.length < limit; span *= WIDER) {
    const start = Math.max(range.start, end - span)
    const rows = yield* store.query<StoredAction>(statement(scope, parameters, place), {
      params: {
        ...logParams(report, parameters, pin, { start, end }),
        before_time: dateTime64(place?.time ?? 0),
        before_id: place?.id ?? "",
        limit: limit - found.length,
      },
    })
    found.push(...rows)
    end = start
  }
  return found
})
