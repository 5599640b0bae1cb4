import { Effect } from "effect"
import { ClickHouse, type ClickHouseError } from "#clickhouse"

/** What the store says of itself. Instants are milliseconds since 1970 by its own clock. */
export interface StoreState {
  readonly now: number
  /** When the server process started, to the second. */
  readonly startedAt: number
  /** Whole seconds since then. */
  readonly uptime: number
  readonly server: string
}

/** Deadlines of inserts are judged by the store's clock, so the writer measures its distance from the own one. */
export const readStoreState: Effect.Effect<StoreState, ClickHouseError, ClickHouse> = Effect.gen(
  function* () {
    const store = yield* ClickHouse
    const rows = yield* store.query<{ now: number; uptime: number; server: string }>(
      "SELECT toUnixTimestamp64Milli(now64(3)) AS now, uptime() AS uptime, toString(serverUUID()) AS server",
    )
    const { now = 0, uptime = 0, server = "" } = rows[0] ?? {}
    return { now, startedAt: now - uptime * 1000, uptime, server }
  },
)

/**
 * The server was started again, or is another one, between two looks. The start is known to the second only, so the
 * uptime tells of a start soon after another one.
 */
export const isRestart = (before: StoreState, after: StoreState): boolean =>
  before.server !== after.server || after.uptime < before.uptime || after.startedAt > before.startedAt + 2500
