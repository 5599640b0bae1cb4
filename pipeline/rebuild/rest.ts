import { Effect } from "effect"
import { ClickHouse, ClickHouseError } from "#clickhouse"
import type { Rollup } from "../writer/rollups.ts"
import { monthsIn } from "./month.ts"

const UNLIKE = (rollup: string, shadow: string): string => `
SELECT count() AS unlike
FROM
(
    SELECT month
    FROM
    (
        SELECT toUInt32(_partition_id) AS month, sum(events) AS events, sum(quantity) AS quantity
        FROM ${rollup}
        WHERE month NOT IN {built:Array(UInt32)}
        GROUP BY month
        UNION ALL
        SELECT toUInt32(_partition_id) AS month, -sum(events) AS events, -sum(quantity) AS quantity
        FROM ${shadow}
        WHERE month NOT IN {built:Array(UInt32)}
        GROUP BY month
    )
    GROUP BY month
    HAVING sum(events) != 0 OR sum(quantity) != 0
)`

/**
 * Gives a shadow the months that were not built anew: the rollup's own parts, which are linked and not copied. What they count
 * is compared before the old rollup goes, since raw has dropped the rows of some.
 */
export const attachRest = Effect.fn("attachRest")(function* (
  rollup: Rollup,
  shadow: string,
  built: ReadonlyArray<number>,
): Effect.fn.Return<void, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  const rest = (yield* monthsIn(rollup)).filter((month) => !built.includes(month))
  if (rest.length === 0) return
  const attached = rest.map((month) => `ATTACH PARTITION ID '${month}' FROM ${rollup.table}`)
  yield* store.command(`ALTER TABLE ${shadow} ${attached.join(", ")}`)
  const [row] = yield* store.query<{ readonly unlike: number }>(UNLIKE(rollup.table, shadow), {
    params: { built },
  })
  if (row?.unlike !== 0)
    return yield* new ClickHouseError({
      reason: "other",
      detail: `months of ${rollup.table} that stay did not come along; it is left as it was`,
    })
})
