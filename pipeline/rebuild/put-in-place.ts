import { Effect } from "effect"
import { ClickHouse, ClickHouseError } from "#clickhouse"
import type { Rollup } from "../writer/rollups.ts"
import { attachRest } from "./rest.ts"

const SHAPES = `
SELECT DISTINCT replaceOne(create_table_query, concat(database, '.', name), '') AS shape
FROM system.tables
WHERE concat(database, '.', name) IN {tables:Array(String)}`

/** The shadow was made like the rollup, but a while ago: a migration that ran since must not be exchanged away. */
const checkShape = Effect.fnUntraced(function* ({ table }: Rollup, shadow: string) {
  const store = yield* ClickHouse
  const shapes = yield* store.query<{ readonly shape: string }>(SHAPES, {
    params: { tables: [table, shadow] },
  })
  if (shapes.length !== 1)
    return yield* new ClickHouseError({
      reason: "other",
      detail: `${table} was altered while it was built anew; begin again`,
    })
})

/**
 * The shadow takes the rollup's place, all its months in one step. Nobody may write either table meanwhile. Afterwards the
 * shadow's name is the old rollup's, where readers that began before come to their end.
 */
export const putInPlace = Effect.fn("putInPlace")(function* (
  rollup: Rollup,
  shadow: string,
  built: ReadonlyArray<number>,
): Effect.fn.Return<void, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  yield* attachRest(rollup, shadow, built)
  yield* checkShape(rollup, shadow)
  // Never sent twice: a second one would put the old rollup back.
  yield* store.command(`EXCHANGE TABLES ${shadow} AND ${rollup.table}`)
})
