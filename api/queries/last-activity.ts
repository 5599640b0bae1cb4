import type { ClickHouse, ClickHouseError } from "#clickhouse"
import { Effect } from "effect"
import { MEMBER_ACTIVATING } from "#schemas/catalogue.ts"
import { TABLES } from "#schemas/names.ts"
import { dateOf, dayNumber } from "#schemas/report-range.ts"
import { ask } from "./memory.ts"
import type { Report } from "./report.ts"

interface Row {
  readonly user_id: string
  readonly last_at: string
}

// Of whatever zone the days are: a day's latest time is an instant.
const between = (condition: string): string => `
SELECT user_id, max(last_at) AS last_at
FROM ${TABLES.activityDaily}
WHERE tenant = {tenant:String} AND ${condition}
  AND user_id IN {user_ids:Array(String)} AND action IN {activating:Array(String)}
GROUP BY user_id
HAVING sum(events) > 0`

const SINCE = between("day >= {day:Date}")
const BEFORE = between("day <= {day:Date}")

/** Days of any zone that may hold an instant of a local day. */
const REACH = 2

/**
 * The latest activity of members whatever the range, given their latest within it: most need no look at old times. What
 * a look finds of the range itself does no harm, as the latest of all is wanted.
 */
export const readLastActivity = Effect.fn("readLastActivity")(function* (
  { tenant, range, version }: Report,
  users: ReadonlyArray<{ readonly user_id: string; readonly last_at: string | null }>,
): Effect.fn.Return<ReadonlyMap<string, string>, ClickHouseError, ClickHouse> {
  const latest = new Map<string, string>()
  for (const { user_id, last_at } of users) if (last_at !== null) latest.set(user_id, last_at)
  const look = Effect.fnUntraced(function* (statement: string, day: number, user_ids: ReadonlyArray<string>) {
    if (user_ids.length === 0) return
    const params = { tenant, user_ids, activating: MEMBER_ACTIVATING, day: dateOf(day) }
    const rows = yield* ask<Row>(version, statement, params, [{ table: TABLES.activityDaily }])
    for (const { user_id, last_at } of rows)
      if (last_at > (latest.get(user_id) ?? "")) latest.set(user_id, last_at)
  })
  yield* look(
    SINCE,
    dayNumber(range.to) - REACH,
    users.map(({ user_id }) => user_id),
  )
  yield* look(
    BEFORE,
    dayNumber(range.from) + REACH,
    users.flatMap(({ user_id }) => (latest.has(user_id) ? [] : [user_id])),
  )
  return latest
})
