import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { Effect } from "effect"
import { TABLES } from "#schemas/names.ts"
import type { Opened } from "./report.ts"
import {
  DAY,
  filtersOf,
  pairKey,
  type SignalFilters,
  type SignalPlace,
  startOfQuarter,
} from "./signal-asked.ts"
import { dateTime, dateTime64 } from "./statement.ts"

/** A client who could reach a candidate without the platform, and a candidate of whom nothing came. */
export interface OffPlatform {
  readonly client_id: string
  readonly candidate_id: string
  readonly reveals: number
  readonly downloads: number
  readonly first_at: string
  readonly last_at: string
  readonly contract_months: number
  /** UTC days on which the events lie, the first ones first. */
  readonly days: ReadonlyArray<string>
}

/** What gives a client the means to reach a candidate. */
export const MEANS = ["candidate_contact.revealed", "cv.downloaded"] as const
/** What shows that the client goes on with the candidate here; a cancelled interview was one, too. */
const OUTCOMES = [
  "interview.requested",
  "interview.scheduled",
  "interview.cancelled",
  "interview.completed",
  "offer.extended",
  "offer.accepted",
  "placement.created",
] as const

const quietSince = ({ now, settings }: Opened): number => now - settings.signals.quiet_days * DAY

/** A job stands with the events behind the signal; every other event of the pair counts whatever its job. */
const FILTERS = {
  client_id: "client_id IN {client_id:Array(String)}",
  job_id: "countIf(job_id IN {job_id:Array(String)}) > 0",
} as const

const statement = (filters: ReadonlyArray<keyof typeof FILTERS>): string => {
  const scope = [
    "tenant = {tenant:String}",
    "candidate_id != ''",
    ...(filters.includes("client_id") ? [FILTERS.client_id] : []),
  ].join(" AND ")
  return `
WITH (SELECT max(record).contract_months FROM ${TABLES.tenants} WHERE tenant = {tenant:String}) AS known_months,
  if(known_months = 0, 12, known_months) AS months
SELECT
  client_id,
  candidate_id,
  sumIf(events, action = 'candidate_contact.revealed') AS reveals,
  sumIf(events, action = 'cv.downloaded') AS downloads,
  min(activity.first_at) AS first_at,
  max(activity.last_at) AS last_at,
  months AS contract_months,
  arraySort(groupUniqArray(toDate(quarter))) AS days
FROM ${TABLES.clientActivity15m} AS activity
WHERE ${scope} AND by_client AND action IN {means:Array(String)}
  AND (client_id, candidate_id) > ({after_client:String}, {after_subject:String})
  AND (client_id, candidate_id) NOT IN (
    SELECT client_id, candidate_id FROM ${TABLES.clientActivity15m}
    WHERE ${scope} AND action IN {outcomes:Array(String)})
  AND (client_id, candidate_id) NOT IN (
    SELECT client_id, candidate_id FROM ${TABLES.clientActivity15m} AS latest
    WHERE ${scope} AND quarter >= {quiet_quarter:DateTime('UTC')}
      AND latest.last_at > {quiet_since:DateTime64(3, 'UTC')})
GROUP BY client_id, candidate_id
HAVING addMonths(first_at, months) > {now:DateTime64(3, 'UTC')}
  ${filters.includes("job_id") ? `AND ${FILTERS.job_id}` : ""}
ORDER BY client_id, candidate_id
LIMIT {limit:UInt32}`
}

/** By client and candidate. */
export const readOffPlatform = Effect.fn("readOffPlatform")(function* (
  opened: Opened,
  filters: SignalFilters,
  after: SignalPlace,
  limit: number,
): Effect.fn.Return<ReadonlyArray<OffPlatform>, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  const since = quietSince(opened)
  const { names, params } = filtersOf(filters)
  return yield* store.query<OffPlatform>(statement(names), {
    params: {
      ...params,
      tenant: opened.tenant,
      means: MEANS,
      outcomes: OUTCOMES,
      quiet_since: dateTime64(since),
      quiet_quarter: dateTime(startOfQuarter(since)),
      now: dateTime64(opened.now),
      after_client: after.client,
      after_subject: after.subject,
      limit,
    },
  })
})

const LAST = `
SELECT client_id, candidate_id, max(activity.last_at) AS last_at
FROM ${TABLES.clientActivity15m} AS activity
WHERE tenant = {tenant:String} AND client_id IN {clients:Array(String)} AND candidate_id IN {candidates:Array(String)}
GROUP BY client_id, candidate_id`

/** When anything last happened for a client and a candidate, by `pairKey`. */
export const readPairsLast = Effect.fn("readPairsLast")(function* (
  tenant: string,
  pairs: ReadonlyArray<OffPlatform>,
): Effect.fn.Return<ReadonlyMap<string, string>, ClickHouseError, ClickHouse> {
  if (pairs.length === 0) return new Map()
  const store = yield* ClickHouse
  const rows = yield* store.query<Pick<OffPlatform, "client_id" | "candidate_id" | "last_at">>(LAST, {
    params: {
      tenant,
      clients: [...new Set(pairs.map(({ client_id }) => client_id))],
      candidates: [...new Set(pairs.map(({ candidate_id }) => candidate_id))],
    },
  })
  return new Map(rows.map((row) => [pairKey(row.client_id, row.candidate_id), row.last_at]))
})
