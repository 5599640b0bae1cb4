import type { ClickHouse, ClickHouseError } from "#clickhouse"
import { Effect } from "effect"
import { TABLES } from "#schemas/names.ts"
import { JOBS } from "./client-directory.ts"
import { ask } from "./memory.ts"
import type { Opened } from "./report.ts"
import { DAY, filtersOf, type SignalFilters, type SignalPlace, startOfQuarter } from "./signal-asked.ts"
import { dateTime, dateTime64 } from "./statement.ts"

/** A client and a job with interest and no interview. */
export interface Engaged {
  readonly client_id: string
  readonly job_id: string
  readonly job_status: string | null
  readonly profiles: number
  readonly cvs: number
  readonly first_at: string
  readonly last_at: string
  readonly events: number
  /** UTC days on which the events lie, the first ones first. */
  readonly days: ReadonlyArray<string>
}

/** What the client's users do when they are interested. */
export const INTEREST = ["candidate_profile.viewed", "cv.downloaded"] as const
const INTERVIEW = ["interview.requested", "interview.scheduled"] as const

/** The first instant that counts. */
export const engagedSince = ({ now, settings }: Opened): number => now - settings.signals.engaged_days * DAY

const FILTERS = {
  client_id: "client_id IN {client_id:Array(String)}",
  job_id: "job_id IN {job_id:Array(String)}",
} as const

/**
 * The quarter hour in which the window begins has events on both sides of it: a key is within by its latest time. Of
 * such a key the latest event counts alone, which is all that it has within unless it has three.
 */
const statement = (filters: ReadonlyArray<keyof typeof FILTERS>): string => `
WITH by_client AND action IN {interest:Array(String)} AS interested,
  activity.first_at >= {since:DateTime64(3, 'UTC')} AS wholly
SELECT
  found.client_id AS client_id, found.job_id AS job_id, jobs.status AS job_status,
  profiles, cvs, from_at AS first_at, to_at AS last_at, total AS events, days
FROM (
  SELECT
    client_id,
    job_id,
    uniqExactIf(candidate_id, interested AND action = 'candidate_profile.viewed') AS profiles,
    uniqExactIf(candidate_id, interested AND action = 'cv.downloaded') AS cvs,
    minIf(if(wholly, activity.first_at, activity.last_at), interested) AS from_at,
    maxIf(activity.last_at, interested) AS to_at,
    sumIf(if(wholly, activity.events, 1), interested) AS total,
    arraySort(groupUniqArrayIf(toDate(quarter), interested)) AS days,
    maxIf(activity.last_at, action IN {interview:Array(String)}) AS interview_at
  FROM ${TABLES.clientActivity15m} AS activity
  WHERE ${[
    "tenant = {tenant:String}",
    "action IN arrayConcat({interest:Array(String)}, {interview:Array(String)})",
    "quarter >= {since_quarter:DateTime('UTC')} AND activity.last_at >= {since:DateTime64(3, 'UTC')}",
    "job_id != ''",
    ...filters.map((filter) => FILTERS[filter]),
    "(client_id, job_id) > ({after_client:String}, {after_subject:String})",
  ].join("\n    AND ")}
  GROUP BY client_id, job_id
  HAVING (profiles >= {profiles:UInt32} OR cvs >= {cvs:UInt32}) AND interview_at < from_at
) AS found
LEFT JOIN (${JOBS}) AS jobs ON jobs.job_id = found.job_id
WHERE ifNull(jobs.status, '') != 'closed'
ORDER BY client_id, job_id
LIMIT {limit:UInt32}`

/** By client and job. */
export const readEngaged = Effect.fn("readEngaged")(function* (
  opened: Opened,
  filters: SignalFilters,
  after: SignalPlace,
  limit: number,
): Effect.fn.Return<ReadonlyArray<Engaged>, ClickHouseError, ClickHouse> {
  const { tenant, settings, version, now } = opened
  const since = engagedSince(opened)
  const { names, params } = filtersOf(filters)
  return yield* ask<Engaged>(
    version,
    statement(names),
    {
      ...params,
      tenant,
      interest: INTEREST,
      interview: INTERVIEW,
      since: dateTime64(since),
      since_quarter: dateTime(startOfQuarter(since)),
      profiles: settings.signals.engaged_profiles,
      cvs: settings.signals.engaged_cvs,
      after_client: after.client,
      after_subject: after.subject,
      limit,
    },
    [{ table: TABLES.clientActivity15m, range: { start: since, end: now + DAY } }, { table: TABLES.jobs }],
  )
})
