import { Effect } from "effect"
import { ClickHouse } from "#clickhouse"
import { CATALOGUE } from "#schemas/catalogue.ts"
import { TABLES } from "#schemas/names.ts"

/** One tenant's year: who there is, and how many events they left. */
export interface QueryWorld {
  readonly tenant: string
  readonly events: number
  readonly users: number
  /** The first day of the year, `YYYY-MM-DD`; the tenant's zone is UTC. */
  readonly from: string
  readonly days: number
}

const TEAMS = 60
const CLIENTS = 400
const JOBS = 6000
const CANDIDATES = 200_000
/** Rows of one insert: a month of the raw table each, and memory for its sort. */
const AT_ONCE = 1_000_000

// Uniform in 0..1 from the event's number, one stream of chance for each use.
const chance = (use: number): string => `(cityHash64(number, ${use}) % 1000003) / 1000003`

/**
 * Few users do much of the work, log-ins and page views outnumber placements by far, and working hours hold nearly
 * everything: rollups then have the number of rows that a real year has. Every seventh event is a client's user.
 */
const ACTIONS = `
INSERT INTO ${TABLES.actions} (
  tenant, id, type, time, source, actor_id, actor_type, impersonator_id, automated, quantity, client_id, candidate_id,
  contact_id, job_id, page, channel, session_id, correlation_id, properties, zone, local_day, generation, stream,
  stream_seq, received_at)
WITH
  ${chance(1)} AS day_chance, ${chance(2)} AS user_chance, ${chance(3)} AS action_chance, ${chance(4)} AS hour_chance,
  intDiv(number * {days:UInt32}, {events:UInt64}) AS any_day,
  toDate({from:String}) + any_day AS some_day,
  -- Nine of ten events of a weekend happen on the Friday before or the Monday after.
  if(day_chance < 0.9 AND toDayOfWeek(some_day) = 6, some_day - 1,
    if(day_chance < 0.9 AND toDayOfWeek(some_day) = 7 AND any_day + 1 < {days:UInt32}, some_day + 1, some_day)) AS day,
  addMilliseconds(toDateTime64(day, 3, 'UTC'), toInt64(
    if(day_chance < 0.95, 28800000 + hour_chance * 36000000, hour_chance * 86399999))) AS at,
  cityHash64(number, 5) % 7 = 0 AS by_client,
  {types:Array(String)}[1 + toUInt32(floor(pow(action_chance, 1.7) * {type_count:UInt32}))] AS action,
  cityHash64(number, 6) % ${JOBS} AS job
SELECT
  {tenant:String} AS tenant,
  concat(lower(hex(cityHash64(number, 7))), '-', toString(number)) AS id,
  action AS type,
  at AS time,
  '/ats/web' AS source,
  if(by_client, concat('cu_', toString(cityHash64(number, 8) % 1200)),
    concat('u_', toString(toUInt32(floor(pow(user_chance, 1.4) * {users:UInt32}))))) AS actor_id,
  if(by_client, 'client', 'member') AS actor_type,
  '' AS impersonator_id,
  cityHash64(number, 9) % 50 = 0 AS automated,
  if(cityHash64(number, 10) % 20 = 0, 2 + cityHash64(number, 11) % 9, 1) AS quantity,
  concat('c_', toString(job % ${CLIENTS})) AS client_id,
  concat('k_', toString(cityHash64(number, 12) % ${CANDIDATES})) AS candidate_id,
  concat('p_', toString(cityHash64(number, 13) % ${CANDIDATES})) AS contact_id,
  concat('j_', toString(job)) AS job_id,
  'jobs/candidates' AS page,
  'web' AS channel,
  '' AS session_id,
  '' AS correlation_id,
  '' AS properties,
  'UTC' AS zone,
  toDate(at) AS local_day,
  0 AS generation,
  -- Not the writer's own stream, which it would take for one that was put back.
  'BENCH' AS stream,
  number + 1 AS stream_seq,
  at AS received_at
FROM numbers({first:UInt64}, {count:UInt64})`

const VERSION = "toDateTime64('2025-01-01 00:00:00', 3, 'UTC')"

const DIRECTORY = [
  `INSERT INTO ${TABLES.tenants} (tenant, record)
   SELECT {tenant:String} AS tenant, (${VERSION}, 'e', 'Bench', 'UTC', 12) AS record`,
  `INSERT INTO ${TABLES.teams} (tenant, team_id, record)
   SELECT {tenant:String} AS tenant, concat('t_', toString(number)) AS team_id,
     (${VERSION}, 'e', concat('Team ', toString(number))) AS record
   FROM numbers(${TEAMS})`,
  `INSERT INTO ${TABLES.users} (tenant, user_id, record, personal)
   SELECT {tenant:String} AS tenant, concat('u_', toString(number)) AS user_id,
     (${VERSION}, 'e', 'member', arrayDistinct([concat('t_', toString(number % ${TEAMS})),
       concat('t_', toString(intDiv(number, 7) % ${TEAMS}))]), '', '') AS record,
     (${VERSION}, 'e', concat('Member ', toString(number)), concat('u_', toString(number), '@bench.example'), false)
       AS personal
   FROM numbers({users:UInt32})`,
  `INSERT INTO ${TABLES.clients} (tenant, client_id, record)
   SELECT {tenant:String} AS tenant, concat('c_', toString(number)) AS client_id,
     (${VERSION}, 'e', concat('Client ', toString(number))) AS record
   FROM numbers(${CLIENTS})`,
  `INSERT INTO ${TABLES.jobs} (tenant, job_id, record)
   SELECT {tenant:String} AS tenant, concat('j_', toString(number)) AS job_id,
     (${VERSION}, 'e', concat('Job ', toString(number)), concat('c_', toString(number % ${CLIENTS})), 'open') AS record
   FROM numbers(${JOBS})`,
  `INSERT INTO ${TABLES.licenseEvents} (tenant, user_id, time, event_id, verb)
   SELECT {tenant:String} AS tenant, concat('u_', toString(number)) AS user_id,
     toDateTime64({from:String}, 3, 'UTC') + toIntervalDay(number % 200 - 150) AS time, 'e1' AS event_id,
     'assigned' AS verb
   FROM numbers({users:UInt32}) WHERE number % 11 != 0`,
  `INSERT INTO ${TABLES.licenseEvents} (tenant, user_id, time, event_id, verb)
   SELECT {tenant:String} AS tenant, concat('u_', toString(number)) AS user_id,
     toDateTime64({from:String}, 3, 'UTC') + toIntervalDay(100 + number % 265) AS time, 'e2' AS event_id,
     if(number % 2 = 0, 'disabled', 'deleted') AS verb
   FROM numbers({users:UInt32}) WHERE number % 17 = 0`,
] as const

/** Puts the year straight into the store, where the views fill the rollups, and merges what a night would merge. */
export const putQueryWorld = Effect.fn("putQueryWorld")(function* (world: QueryWorld) {
  const store = yield* ClickHouse
  const types = CATALOGUE.actions.map(({ type }) => type)
  const params = { ...world, types, type_count: types.length }
  for (const statement of DIRECTORY) yield* store.command(statement, { params })
  for (let first = 0; first < world.events; first += AT_ONCE)
    yield* store.command(ACTIONS, {
      params: { ...params, first, count: Math.min(AT_ONCE, world.events - first) },
      settings: { max_partitions_per_insert_block: "100" },
    })
})
