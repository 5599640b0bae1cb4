import type { ClickHouse, ClickHouseError } from "#clickhouse"
import { Effect } from "effect"
import { MEMBER_ACTIVATING } from "#schemas/catalogue.ts"
import { TABLES } from "#schemas/names.ts"
import { dateOf, dayNumber } from "#schemas/report-range.ts"
import { ask } from "./memory.ts"
import type { Report } from "./report.ts"

const DAY = 86_400_000

interface Row {
  readonly user_id: string
  readonly last_at: string
}

// Of whatever zone the days are: a day's latest time is an instant.
const STATEMENT = `
SELECT user_id, max(last_at) AS last_at
FROM ${TABLES.activityDaily}
WHERE tenant = {tenant:String} AND day BETWEEN {first:Date} AND {last:Date}
  AND user_id IN {user_ids:Array(String)} AND action IN {activating:Array(String)}
GROUP BY user_id
HAVING sum(events) > 0`

/** Days of any zone that may hold an instant of a local day. */
const REACH = 2
/** Within them nearly everybody did something. */
const RECENT = 31
const FIRST_DAY = 0
/** The last that a Date holds. */
const LAST_DAY = 65_535

/**
 * The latest activity of members whatever the range, given their latest within it. Latest days first, and each look is
 * only for those whom a later one did not find: so most need no look at old times. What a look finds of the range
 * itself does no harm, as the latest of all is wanted.
 */
export const readLastActivity = Effect.fn("readLastActivity")(function* (
  { tenant, range, version }: Report,
  users: ReadonlyArray<{ readonly user_id: string; readonly last_at: string | null }>,
): Effect.fn.Return<ReadonlyMap<string, string>, ClickHouseError, ClickHouse> {
  const latest = new Map<string, string>()
  const look = Effect.fnUntraced(function* (first: number, last: number) {
    const user_ids = users.flatMap(({ user_id }) => (latest.has(user_id) ? [] : [user_id]))
    if (user_ids.length === 0 || first > last) return
    const params = {
      tenant,
      user_ids,
      activating: MEMBER_ACTIVATING,
      first: dateOf(first),
      last: dateOf(last),
    }
    const rows = yield* ask<Row>(version, STATEMENT, params, [{ table: TABLES.activityDaily }])
    for (const { user_id, last_at } of rows) latest.set(user_id, last_at)
  })
  const after = dayNumber(range.to) - REACH
  const recent = Math.max(after, Math.floor(range.now / DAY) - RECENT)
  yield* look(recent, LAST_DAY)
  yield* look(after, recent - 1)
  for (const { user_id, last_at } of users)
    if (last_at !== null && last_at > (latest.get(user_id) ?? "")) latest.set(user_id, last_at)
  yield* look(FIRST_DAY, dayNumber(range.from) + REACH)
  return latest
})
