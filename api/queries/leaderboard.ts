import { Effect } from "effect"
import type { LeaderboardParameters, LeaderboardRow } from "#schemas/report-leaderboard.ts"
import { type Activity, activityOf } from "./activity.ts"
import { LISTED, memberParams, memberReads, memberRows, memberRowsWithDays } from "./member-rows.ts"
import { ask, askOnce } from "./memory.ts"
import { readNames } from "./names.ts"
import { afterPlace, COUNT, inOrder, type Order, orderBy, orderParams, pageOf, type Place } from "./order.ts"
import { isCut, previousOf } from "./range.ts"
import type { Report } from "./report.ts"
import { TEAMS_OF_MEMBER } from "./team-places.ts"

interface Ranked {
  readonly id: string
  readonly value: number
  readonly rank: number
}

interface Row extends Ranked {
  /** Of a user. */
  readonly name?: string | null
  readonly email?: string | null
  readonly team_ids?: ReadonlyArray<string>
  readonly lower: number
  readonly ranked: number
  readonly sorted_by: Place["value"]
  readonly on_page: 0 | 1
  readonly unknown_actors: number
}

const valueOf = (metric: string): string =>
  metric === "active_days" ? "toInt64(active_days)" : "toInt64(metrics[{metric:UInt16}])"

const membersOf = (activity: Activity, metric: string): string =>
  metric === "active_days" ? memberRowsWithDays(activity) : memberRows(activity)

/** `user_id` and `user_email` choose who is shown, not who is ranked: a rank among oneself would say nothing. */
const SHOWN = `(empty({shown_ids:Array(String)}) OR has({shown_ids:Array(String)}, user_id))
      AND (empty({shown_emails:Array(String)})
        OR has(arrayMap(one -> lowerUTF8(one), {shown_emails:Array(String)}), lowerUTF8(ifNull(email, ''))))`

const users = (activity: Activity, metric: string): string => `
  SELECT
    user_id AS id, name, email, team_ids,
    ${valueOf(metric)} AS value,
    toUInt8(${LISTED}) AS listed,
    toUInt8(${SHOWN}) AS shown,
    toUInt64(unknown) AS unknowns
  FROM (${membersOf(activity, metric)})`

const teams = (activity: Activity, metric: string): string => `
  SELECT
    arrayJoin(${TEAMS_OF_MEMBER}) AS counted_in,
    counted_in.2 AS id,
    sum(${valueOf(metric)}) AS value,
    toUInt8(counted_in.1 = 'team') AS listed,
    toUInt8(1) AS shown,
    countIf(unknown) AS unknowns
  FROM (${membersOf(activity, metric)})
  GROUP BY counted_in`

const ranking = (activity: Activity, { by, metric }: LeaderboardParameters): string => `
  SELECT
    *,
    rank() OVER (PARTITION BY listed ORDER BY value DESC) AS rank,
    rank() OVER (PARTITION BY listed ORDER BY value ASC) - 1 AS lower,
    sum(listed) OVER () AS ranked,
    sum(unknowns) OVER () AS unknown_actors
  FROM (${by === "team" ? teams(activity, metric) : users(activity, metric)})`

const pageStatement = (ranked: string, order: Order, place: Place | undefined): string => `
SELECT *, ${order.expression} AS sorted_by, toUInt8(listed AND shown AND (${afterPlace(order, place)})) AS on_page
FROM (${ranked})
ORDER BY on_page DESC, ${inOrder(order)}
LIMIT {limit:UInt32}`

const someStatement = (ranked: string): string => `
SELECT id, value, rank FROM (${ranked}) WHERE listed AND id IN {ids:Array(String)}`

/** Of teams the members chosen make the value; of users everybody in the teams asked for is ranked. */
const rankedParams = (activity: Activity, parameters: LeaderboardParameters, report: Report) => {
  const { user_id = [], user_email = [], ...others } = parameters
  const isByTeam = parameters.by === "team"
  return {
    ...memberParams(activity, isByTeam ? parameters : others, report),
    shown_ids: isByTeam ? [] : user_id,
    shown_emails: isByTeam ? [] : user_email,
  }
}

const SORTS = { value: { expression: "value", ...COUNT } } as const

const readPrevious = Effect.fnUntraced(function* (
  parameters: LeaderboardParameters,
  report: Report,
  metric: number,
  ids: ReadonlyArray<string>,
) {
  if (ids.length === 0) return new Map<string, Ranked>()
  const before = { ...report, range: previousOf(report.range) }
  const activity = activityOf(before)
  const rows = yield* (isCut(before.range) ? askOnce : ask)<Ranked>(
    report.version,
    someStatement(ranking(activity, parameters)),
    { ...rankedParams(activity, parameters, before), metric, ids },
    memberReads(before),
  )
  return new Map(rows.map((row) => [row.id, row]))
})

/** A page of the ranking, with what the same rows had in the period before. */
export const readLeaderboard = Effect.fn("readLeaderboard")(function* (
  parameters: LeaderboardParameters,
  report: Report,
) {
  const { metric, by = "user", limit = 50 } = parameters
  const activity = activityOf(report)
  const order = { ...orderBy(SORTS, "id", "-value"), metric: orderBy({}, "id", metric).metric }
  const place = yield* order.cursors.read(report.tenant, parameters)
  const found: ReadonlyArray<Row> = yield* ask<Row>(
    report.version,
    pageStatement(ranking(activity, parameters), order, place),
    { ...rankedParams(activity, parameters, report), ...orderParams(order, place, limit) },
    memberReads(report),
  )
  const { rows, next, unknownActors } = pageOf(found, limit, ({ id }) => id)
  const ids = rows.map(({ id }) => id)
  const { previous, teamNames } = yield* Effect.all(
    {
      previous: readPrevious(parameters, report, order.metric, ids),
      teamNames: readNames(
        report,
        "teams",
        by === "team" ? ids : rows.flatMap(({ team_ids = [] }) => team_ids),
      ),
    },
    { concurrency: "unbounded" },
  )
  const nameOf = (team_id: string): string | null => teamNames.get(team_id)?.name ?? null
  const rowOf = (row: Row): LeaderboardRow => {
    const before = previous.get(row.id)
    return {
      rank: row.rank,
      percentile: row.ranked === 1 ? null : (100 * row.lower) / (row.ranked - 1),
      value: row.value,
      previous_value: before?.value ?? null,
      previous_rank: before?.rank ?? null,
      rank_change: before === undefined ? null : before.rank - row.rank,
      ...(by === "team"
        ? { team_id: row.id, name: nameOf(row.id) }
        : {
            user_id: row.id,
            name: row.name ?? null,
            email: row.email ?? null,
            teams: (row.team_ids ?? []).map((team_id) => ({ team_id, name: nameOf(team_id) })),
          }),
    }
  }
  return {
    rows: rows.map(rowOf),
    ranked: found[0]?.ranked ?? 0,
    nextCursor: next === undefined ? null : order.cursors.write(report.tenant, parameters, next),
    unknownActors,
  }
})
