import type { ChildProcess } from "node:child_process"
import { Effect, Fiber } from "effect"
import type { LedgerRecord } from "#schemas/ledger.ts"
import { BUCKETS, STREAMS } from "#schemas/names.ts"
import { Nats } from "#nats/connection.ts"
import { until } from "../faults/until.ts"
import { tidemark } from "./command-line.ts"

/** Runs a command of the command line until something holds, and kills it then. */
export const killWhen = Effect.fnUntraced(function* <E, R>(
  args: ReadonlyArray<string>,
  what: string,
  holds: Effect.Effect<boolean, E, R>,
) {
  let child: ChildProcess | undefined
  const running = yield* tidemark(args, (started) => {
    child = started
  }).pipe(Effect.forkChild)
  yield* until(what, holds, 60)
  child?.kill("SIGKILL")
  return yield* Fiber.join(running)
})

/** What half a minute does to the barrier of a process that is gone. */
export const forgetBarrier = Effect.gen(function* () {
  const { kv } = yield* Nats
  const bucket = yield* Effect.promise(() => kv.open(BUCKETS.ledger))
  const entry = yield* Effect.promise(() => bucket.get(STREAMS.actions))
  const { barrier: _, ...record } = entry?.json<LedgerRecord>() ?? {}
  yield* Effect.promise(() => bucket.update(STREAMS.actions, JSON.stringify(record), entry?.revision ?? 0))
}).pipe(Effect.sandbox, Effect.retry({ times: 20 }))
