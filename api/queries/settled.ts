import type { ClickHouse, ClickHouseError } from "#clickhouse"
import { Effect } from "effect"
import { TABLES } from "#schemas/names.ts"
import { ask } from "./memory.ts"
import { dateTime64 } from "./statement.ts"
import type { StoreVersion } from "./store-version.ts"

const DAY = 86_400_000
/** Beyond it, today's licence events are too many to be kept. */
const MOST = 1000

const STATEMENT = `
SELECT DISTINCT toUnixTimestamp64Milli(time) AS at
FROM ${TABLES.licenseEvents}
WHERE tenant = {tenant:String} AND time > {floor:DateTime64(3, 'UTC')}
ORDER BY at
LIMIT ${MOST}`

/**
 * The latest instant up to now at which one of the tenant's licences changed today, or today's beginning: licences are
 * now as they were then. So a report up to now asks the store the same question until one of them changes.
 */
export const readSettled = Effect.fn("readSettled")(function* (
  tenant: string,
  version: StoreVersion,
  now: number,
): Effect.fn.Return<number, ClickHouseError, ClickHouse> {
  const floor = now - (now % DAY)
  const changes = yield* ask<{ readonly at: number }>(
    version,
    STATEMENT,
    { tenant, floor: dateTime64(floor) },
    [{ table: TABLES.licenseEvents }],
  )
  const last = changes.findLast(({ at }) => at <= now)
  if (changes.length === MOST && last === changes.at(-1)) return now
  return last?.at ?? floor
})
