import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { Effect } from "effect"
import { MEMBER_ACTIVATING } from "#schemas/catalogue.ts"
import { TABLES } from "#schemas/names.ts"
import type { Range } from "./range.ts"
import { dateTime } from "./statement.ts"

interface Row {
  readonly user_id: string
  readonly last_at: string
}

const between = (condition: string): string => `
SELECT user_id, max(last_at) AS last_at
FROM ${TABLES.activity15m} FINAL
WHERE tenant = {tenant:String} AND ${condition}
  AND user_id IN {user_ids:Array(String)} AND action IN {activating:Array(String)} AND events > 0
GROUP BY user_id`

const SINCE = between("quarter >= {instant:DateTime('UTC')}")
const BEFORE = between("quarter < {instant:DateTime('UTC')}")

/** The latest activity of members whatever the range, given their latest within it: most need no look at old times. */
export const readLastActivity = Effect.fn("readLastActivity")(function* (
  tenant: string,
  range: Range,
  users: ReadonlyArray<{ readonly user_id: string; readonly last_at: string | null }>,
): Effect.fn.Return<ReadonlyMap<string, string>, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  const latest = new Map<string, string>()
  for (const { user_id, last_at } of users) if (last_at !== null) latest.set(user_id, last_at)
  const look = Effect.fnUntraced(function* (
    statement: string,
    instant: number,
    user_ids: ReadonlyArray<string>,
  ) {
    if (user_ids.length === 0) return
    const rows = yield* store.query<Row>(statement, {
      params: { tenant, user_ids, activating: MEMBER_ACTIVATING, instant: dateTime(instant) },
    })
    for (const { user_id, last_at } of rows) latest.set(user_id, last_at)
  })
  yield* look(
    SINCE,
    range.end,
    users.map(({ user_id }) => user_id),
  )
  yield* look(
    BEFORE,
    range.start,
    users.flatMap(({ user_id }) => (latest.has(user_id) ? [] : [user_id])),
  )
  return latest
})
