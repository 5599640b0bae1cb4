import { Effect } from "effect"
import { TABLES } from "#schemas/names.ts"
import {
  type ClientEngagementParameters,
  type ClientEngagementRow,
  type ClientSort,
  STAGES,
} from "#schemas/report-clients.ts"
import { CLIENTS, JOBS } from "./client-directory.ts"
import { ask } from "./memory.ts"
import {
  afterPlace,
  COUNT,
  INSTANT,
  inOrder,
  type Order,
  orderBy,
  orderParams,
  type Place,
  type Sorts,
  TEXT,
} from "./order.ts"
import type { Report } from "./report.ts"
import { dateTime } from "./statement.ts"

interface Row extends Omit<ClientEngagementRow, "stage"> {
  /** By its place among the stages. */
  readonly stage: number
  readonly row_id: string
  readonly sorted_by: Place["value"]
}

const SORTS: Sorts & Readonly<Record<ClientSort, unknown>> = {
  client_id: { expression: "client_id", ...TEXT },
  client_name: { expression: "lowerUTF8(client_name)", ...TEXT },
  job_id: { expression: "job_id", ...TEXT },
  job_title: { expression: "lowerUTF8(job_title)", ...TEXT },
  stage: { expression: "toInt64(stage)", ...COUNT },
  profile_views: { expression: "toInt64(profile_views)", ...COUNT },
  unique_profiles_viewed: { expression: "toInt64(unique_profiles_viewed)", ...COUNT },
  cv_downloads: { expression: "toInt64(cv_downloads)", ...COUNT },
  interviews_scheduled: { expression: "toInt64(interviews_scheduled)", ...COUNT },
  last_action_at: { expression: "last_action_at", ...INSTANT },
}

const FILTERS = {
  client_id: "client_id IN {client_id:Array(String)}",
  job_id: "job_id IN {job_id:Array(String)}",
} as const
type Filter = keyof typeof FILTERS

/** Client and job as one text that sorts as the pair does, whatever characters the ids have. */
const ROW_ID = "concat(hex(client_id), '-', hex(job_id))"

/** A key that was corrected away has no rows, so sums, times and different candidates over rows are right. */
const statement = (filters: ReadonlyArray<Filter>, order: Order, place: Place | undefined): string => `
SELECT *, ${order.expression} AS sorted_by
FROM (
  SELECT
    activity.client_id AS client_id, clients.name AS client_name,
    activity.job_id AS job_id, jobs.title AS job_title, jobs.status AS job_status,
    profile_views, unique_profiles_viewed, cv_downloads, interviews_scheduled, stage, last_action_at, row_id
  FROM (
    SELECT
      client_id,
      job_id,
      ${ROW_ID} AS row_id,
      sumIf(quantity, by_client AND action = 'candidate_profile.viewed') AS profile_views,
      uniqExactIf(candidate_id, by_client AND action = 'candidate_profile.viewed') AS unique_profiles_viewed,
      sumIf(quantity, by_client AND action = 'cv.downloaded') AS cv_downloads,
      sumIf(quantity, action = 'interview.scheduled') AS interviews_scheduled,
      max(transform(action, {stage_actions:Array(String)}, range(1, ${STAGES.length}), 0)) AS stage,
      max(last_at) AS last_action_at
    FROM ${TABLES.clientActivity15m}
    WHERE ${[
      "tenant = {tenant:String}",
      "quarter >= {start:DateTime('UTC')} AND quarter < {end:DateTime('UTC')}",
      "job_id != ''",
      ...filters.map((filter) => FILTERS[filter]),
    ].join("\n      AND ")}
    GROUP BY client_id, job_id
    HAVING sum(events) > 0
  ) AS activity
  LEFT JOIN (${CLIENTS}) AS clients ON clients.client_id = activity.client_id
  LEFT JOIN (${JOBS}) AS jobs ON jobs.job_id = activity.job_id
)
WHERE (empty({stages:Array(UInt8)}) OR stage IN {stages:Array(UInt8)}) AND (${afterPlace(order, place)})
ORDER BY ${inOrder(order)}
LIMIT {limit:UInt32}`

const rowOf = (found: Row): ClientEngagementRow => {
  const { row_id: _, sorted_by: __, ...row } = found
  return { ...row, stage: STAGES[row.stage]?.stage ?? "none" }
}

/** A page of the clients and jobs that anything was done about in the range. */
export const readClientEngagement = Effect.fn("readClientEngagement")(function* (
  parameters: ClientEngagementParameters,
  { tenant, range, version }: Report,
) {
  const { limit = 50, sort = "client_id", stage = [] } = parameters
  const order = orderBy(SORTS, "row_id", sort)
  const place = yield* order.cursors.read(tenant, parameters)
  const filters = (Object.keys(FILTERS) as Array<Filter>).filter((filter) => parameters[filter] !== undefined)
  const found: ReadonlyArray<Row> = yield* ask<Row>(
    version,
    statement(filters, order, place),
    {
      ...Object.fromEntries(filters.map((filter) => [filter, parameters[filter]])),
      ...orderParams(order, place, limit),
      tenant,
      start: dateTime(range.start),
      end: dateTime(range.end),
      stage_actions: STAGES.flatMap(({ action }) => action ?? []),
      stages: STAGES.flatMap((one, index) => (stage.includes(one.stage) ? [index] : [])),
    },
    [{ table: TABLES.clientActivity15m, range }, { table: TABLES.clients }, { table: TABLES.jobs }],
  )
  const rows = found.slice(0, limit)
  const last = rows.at(-1)
  return {
    rows: rows.map(rowOf),
    nextCursor:
      found.length > limit && last !== undefined
        ? order.cursors.write(tenant, parameters, { value: last.sorted_by, id: last.row_id })
        : null,
  }
})
