import { Effect } from "effect"
import { ClickHouse, type ClickHouseError } from "#clickhouse"

/** A row of a table, as JSONEachRow takes it. */
export interface TableRow {
  readonly table: string
  readonly row: Readonly<Record<string, unknown>>
}

/** ClickHouse's own form of an instant; its JSON reader takes no `T` and `Z` unless told. */
export const instant = (milliseconds: number): string =>
  new Date(milliseconds).toISOString().replace("T", " ").replace("Z", "")

/** Inserts rows, one statement a table, and returns when the store has them. */
export const insertRows = Effect.fn("insertRows")(function* (
  rows: ReadonlyArray<TableRow>,
): Effect.fn.Return<void, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  for (const [table, some] of Map.groupBy(rows, ({ table }) => table))
    yield* store.insert({
      statement: `INSERT INTO ${table} FORMAT JSONEachRow`,
      body: [Buffer.from(some.map(({ row }) => JSON.stringify(row)).join("\n"))],
      settings: { async_insert: 0, insert_deduplicate: 0 },
    })
})
