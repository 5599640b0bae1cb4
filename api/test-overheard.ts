import { Context, Effect } from "effect"
import { ClickHouse } from "#clickhouse"
import type { Services } from "./http/bridge.ts"

/** The real store, with an ear on what is asked of it. */
export const overheard = (real: Services) => {
  const statements: Array<string> = []
  const store = Context.get(real, ClickHouse)
  const over: Services = Context.add(
    real,
    ClickHouse,
    ClickHouse.of({
      ...store,
      query: (statement, options) =>
        Effect.suspend(() => {
          statements.push(statement)
          return store.query(statement, options)
        }),
    }),
  )
  return { over, statements }
}
