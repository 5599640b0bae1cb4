import type { ClickHouseClient } from "@clickhouse/client"
import { Effect } from "effect"
import { ClickHouseError } from "./error.ts"

/** How long a statement may take before anybody asks for it. */
const PATIENCE = "5 seconds"
const ANSWER_WITHIN = "3 seconds"
const AGAIN = "1 second"
/** Looks in a row that find no trace of it. */
const LOOKS = 2

/**
 * Fails when a statement's answer will not come any more: the server, asked again and again, does not run it, or does
 * not answer at all. A connection whose other end is gone without a word is otherwise waited for until the client's own
 * limit, which must be longer than any statement. Asks the server that the URL leads to.
 */
export const watchStatement = Effect.fn("watchStatement")(function* (
  client: ClickHouseClient,
  queryId: string,
): Effect.fn.Return<never, ClickHouseError> {
  const isRunning = Effect.tryPromise(async (signal) => {
    const result = await client.query({
      query: "SELECT count() AS running FROM system.processes WHERE query_id = {id:String}",
      query_params: { id: queryId },
      format: "JSONEachRow",
      abort_signal: signal,
    })
    return ((await result.json<{ running: number }>())[0]?.running ?? 0) > 0
  }).pipe(
    Effect.timeout(ANSWER_WITHIN),
    Effect.orElseSucceed(() => false),
  )
  yield* Effect.sleep(PATIENCE)
  for (let without = 0; without < LOOKS; yield* Effect.sleep(AGAIN))
    without = (yield* isRunning) ? 0 : without + 1
  return yield* new ClickHouseError({ reason: "unavailable", detail: "the answer is lost" })
})
