import { expect, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { inject } from "vitest"
import { ClickHouse } from "#clickhouse"
import { until } from "../../test/faults/until.ts"
import { endAttempts } from "./fence.ts"

const as = (user: string) => ClickHouse.layer({ url: inject("clickhouseUrl"), user, password: "" })
const STREAM = "FENCED"

/** A query of some seconds under an id of the stream's writers; returns when it runs. */
const started = Effect.fnUntraced(function* (user: string, id: string) {
  const queryId = `tidemark-writer-${STREAM}-${id}`
  const slow = ClickHouse.use((store) =>
    store.query("SELECT sleepEachRow(0.5) FROM numbers(60) SETTINGS max_block_size = 1", { queryId }),
  )
  const fiber = yield* Effect.forkScoped(Effect.provide(slow, as(user)))
  const running = ClickHouse.use((store) =>
    store.query("SELECT 1 FROM system.processes WHERE query_id = {queryId:String}", { params: { queryId } }),
  ).pipe(Effect.map((rows) => rows.length > 0))
  yield* until("the query runs", running.pipe(Effect.provide(as("tidemark_writer"))), 10)
  return fiber
})

it.live("ends what a writer of the stream sent, and neither ends nor waits for what a stranger did", () =>
  Effect.gen(function* () {
    const own = yield* started("tidemark_writer", "1-a-1")
    const strange = yield* started("tidemark_api", "1-b-1")
    yield* endAttempts(STREAM).pipe(Effect.provide(as("tidemark_writer")), Effect.timeout("10 seconds"))
    expect(Exit.isFailure(yield* Fiber.await(own))).toBe(true)
    expect(strange.pollUnsafe()).toBeUndefined()
    yield* Fiber.interrupt(strange)
  }),
)
