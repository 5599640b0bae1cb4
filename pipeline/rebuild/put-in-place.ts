import { Effect } from "effect"
import { ClickHouse } from "#clickhouse"
import { DELETE_SETTINGS, DELETE_WITHIN_LEASE, everybodysDelete, queryId } from "../writer/fence.ts"
import type { Rollup } from "../writer/rollups.ts"
import { ownRecord } from "../writer/settle.ts"
import { calendarOf } from "./month.ts"

const partsOf = (rollup: Rollup, table: string): string => `
SELECT DISTINCT _part AS part
FROM ${table}
WHERE toYYYYMM(${calendarOf(rollup).name}) = {month:UInt32}`

/**
 * A month of the shadow takes the place of the rollup's. The server refuses one without rows; then the rollup's own are taken
 * out, of the parts seen now alone, so that a statement that runs late takes nothing of what came after.
 */
export const putInPlace = Effect.fn("putInPlace")(function* (rollup: Rollup, shadow: string, month: number) {
  const store = yield* ClickHouse
  const seen = (table: string) =>
    store.query<{ readonly part: string }>(partsOf(rollup, table), { params: { month } })
  if ((yield* seen(shadow)).length > 0)
    return yield* store.command(`ALTER TABLE ${rollup.table} REPLACE PARTITION ID '${month}' FROM ${shadow}`)
  const parts = yield* seen(rollup.table)
  if (parts.length === 0) return
  const record = yield* ownRecord
  yield* store.command(
    `DELETE FROM ${rollup.table}
     WHERE toYYYYMM(${calendarOf(rollup).name}) = {month:UInt32} AND _part IN {parts:Array(String)}
         AND ${DELETE_WITHIN_LEASE}`,
    {
      queryId: queryId(record, "remove"),
      params: { month, parts: parts.map(({ part }) => part), ...everybodysDelete(record) },
      settings: DELETE_SETTINGS,
    },
  )
})
