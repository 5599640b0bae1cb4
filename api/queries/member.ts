import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { Effect } from "effect"
import { TABLES } from "#schemas/names.ts"

const STATEMENT = `
SELECT count() AS members
FROM (
  SELECT max(record).kind AS kind, max(personal).erased AS erased
  FROM ${TABLES.users} WHERE tenant = {tenant:String} AND user_id = {user:String} GROUP BY user_id
)
WHERE kind = 'member' AND NOT erased`

/** Whether the tenant's directory knows the user as a member. */
export const isMember = Effect.fn("isMember")(function* (
  tenant: string,
  user: string,
): Effect.fn.Return<boolean, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  const [row] = yield* store.query<{ readonly members: number }>(STATEMENT, { params: { tenant, user } })
  return (row?.members ?? 0) > 0
})
