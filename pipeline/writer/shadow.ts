import { Effect } from "effect"
import { ClickHouse } from "#clickhouse"

/**
 * Drops a table that a rollup is built in, or the old rollup that lies under its name once they were exchanged. Whoever reads
 * that still reads on; SYNC would wait for them, which writers must not. The server takes it from the disk eight minutes later,
 * or when they are done. Its limit of bytes for a DROP is for tables that are somebody's.
 */
export const dropShadow = Effect.fnUntraced(function* (shadow: string) {
  const store = yield* ClickHouse
  // The name is one of ours, and no statement takes a table as a parameter here.
  yield* store.command(`DROP TABLE IF EXISTS ${shadow}`, { settings: { max_table_size_to_drop: "0" } })
})
