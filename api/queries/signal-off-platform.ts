import type { ClickHouse, ClickHouseError } from "#clickhouse"
import { Effect } from "effect"
import { TABLES } from "#schemas/names.ts"
import { ask } from "./memory.ts"
import type { Opened } from "./report.ts"
import { DAY, filtersOf, type SignalFilters, type SignalPlace, startOfQuarter } from "./signal-asked.ts"
import { dateTime, dateTime64 } from "./statement.ts"

/** A client who could reach a candidate without the platform, and a candidate of whom nothing came. */
export interface OffPlatform {
  readonly client_id: string
  readonly candidate_id: string
  readonly contract_months: number
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

const BY_CLIENT = "client_id IN {client_id:Array(String)}"

const CLIENTS = `
SELECT DISTINCT client_id
FROM ${TABLES.clientActivity15m}
WHERE tenant = {tenant:String} AND action IN {means:Array(String)} AND by_client
ORDER BY client_id`

const bytes = (one: string, other: string): number => Buffer.compare(Buffer.from(one), Buffer.from(other))

/** The clients to look at, in the store's order. */
const readClients = Effect.fnUntraced(function* (
  { tenant, version }: Opened,
  { client_id }: SignalFilters,
  after: SignalPlace,
) {
  const clients =
    client_id ??
    (yield* ask<{ readonly client_id: string }>(version, CLIENTS, { tenant, means: MEANS }, [
      { table: TABLES.clientActivity15m },
    ])).map((row) => row.client_id)
  return [...new Set(clients)].toSorted(bytes).filter((client) => bytes(client, after.client) >= 0)
})

/** A client and a candidate have their rows of two kinds of time: all of few actions, and all actions of late. */
const rows = (condition: string): string => `
    SELECT client_id, candidate_id, job_id, activity.first_at, activity.last_at,
      by_client AND action IN {means:Array(String)} AS is_means,
      action IN {outcomes:Array(String)} AS is_outcome
    FROM ${TABLES.clientActivity15m} AS activity
    WHERE tenant = {tenant:String} AND client_id BETWEEN {first_client:String} AND {last_client:String}
      AND candidate_id != '' AND ${condition}`

const statement = (filters: ReadonlyArray<"client_id" | "job_id">): string => `
WITH (SELECT max(record).contract_months FROM ${TABLES.tenants} WHERE tenant = {tenant:String}) AS known_months,
  if(known_months = 0, 12, known_months) AS months
SELECT client_id, candidate_id, months AS contract_months
FROM (${rows("action IN arrayConcat({means:Array(String)}, {outcomes:Array(String)})")}
    UNION ALL${rows(`action NOT IN arrayConcat({means:Array(String)}, {outcomes:Array(String)})
      AND quarter >= {quiet_quarter:DateTime('UTC')} AND activity.last_at > {quiet_since:DateTime64(3, 'UTC')}`)}
)
WHERE (client_id, candidate_id) > ({after_client:String}, {after_subject:String})
  ${filters.includes("client_id") ? `AND ${BY_CLIENT}` : ""}
GROUP BY client_id, candidate_id
HAVING countIf(is_means) > 0 AND countIf(is_outcome) = 0
  AND max(last_at) <= {quiet_since:DateTime64(3, 'UTC')}
  AND addMonths(minIf(first_at, is_means), months) > {now:DateTime64(3, 'UTC')}
  ${filters.includes("job_id") ? "AND countIf(is_means AND job_id IN {job_id:Array(String)}) > 0" : ""}
ORDER BY client_id, candidate_id
LIMIT {limit:UInt32}`

const FIRST_CLIENTS = 16
const WIDER = 8

/**
 * By client and candidate. A page is found among few clients where signals are many, so few are looked at first, then
 * ever more.
 */
export const readOffPlatform = Effect.fn("readOffPlatform")(function* (
  opened: Opened,
  filters: SignalFilters,
  after: SignalPlace,
  limit: number,
): Effect.fn.Return<ReadonlyArray<OffPlatform>, ClickHouseError, ClickHouse> {
  const since = opened.now - opened.settings.signals.quiet_days * DAY
  const { names, params: asked } = filtersOf(filters)
  const params = {
    ...asked,
    tenant: opened.tenant,
    means: MEANS,
    outcomes: OUTCOMES,
    quiet_since: dateTime64(since),
    quiet_quarter: dateTime(startOfQuarter(since)),
    now: dateTime64(opened.now),
    after_client: after.client,
    after_subject: after.subject,
  }
  const clients = yield* readClients(opened, filters, after)
  const found: Array<OffPlatform> = []
  for (
    let at = 0, count = FIRST_CLIENTS;
    at < clients.length && found.length < limit;
    at += count, count *= WIDER
  ) {
    const some = clients.slice(at, at + count)
    const range = { first_client: some[0], last_client: some.at(-1), limit: limit - found.length }
    const pairs = yield* ask<OffPlatform>(opened.version, statement(names), { ...params, ...range }, [
      { table: TABLES.clientActivity15m },
      { table: TABLES.tenants },
    ])
    found.push(...pairs)
  }
  return found
})
