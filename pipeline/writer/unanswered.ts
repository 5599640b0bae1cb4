import { Effect } from "effect"
import { type ClickHouse, ClickHouseError } from "#clickhouse"
import { Writer } from "./context.ts"
import { readStoreState } from "./store-clock.ts"

const LOOK = 500

/** Whether the store has not said that a statement ended. */
export const isUnanswered = (error: unknown): boolean =>
  error instanceof ClickHouseError && error.reason === "unavailable"

/**
 * Remembers that the answer to a statement never came, though the connection did not live to say so: whatever carries it may
 * still hand it to the store, where it begins until its deadline, which is that of the lease at most.
 */
export const rememberUnanswered: Effect.Effect<void, never, Writer> = Effect.map(
  Writer,
  ({ ledger, unanswered }) => {
    unanswered.until = Math.max(unanswered.until, ledger.current()?.lease_until ?? 0)
  },
)

/** Waits until none of these statements can begin any more: proved before, it would change what was found right. */
export const outlastUnanswered: Effect.Effect<void, ClickHouseError, Writer | ClickHouse> = Effect.gen(
  function* () {
    const { unanswered } = yield* Writer
    while (unanswered.until > 0) {
      const { now } = yield* readStoreState
      const left = unanswered.until - now
      if (left < 0) unanswered.until = 0
      else yield* Effect.sleep(Math.min(left + 10, LOOK))
    }
  },
)
