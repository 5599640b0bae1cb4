import { Effect, Exit, Schedule, Scope } from "effect"
import type { Child } from "../../deploy/engines/child.ts"
import type { EngineError } from "../../deploy/engines/engine-error.ts"

/** An engine that a test may kill and start again; it runs at first, and ends with the scope. */
export const makeEngine = Effect.fn("makeEngine")(function* (
  acquire: Effect.Effect<Child, EngineError, Scope.Scope>,
  /** The server's own process id, which need not be the child's. */
  pidOf: (child: Child) => number,
) {
  let running: { readonly scope: Scope.Closeable; readonly child: Child } | undefined

  const start = Effect.gen(function* () {
    const scope = yield* Scope.make()
    // The port of a process that was just killed may be taken for an instant.
    const child = yield* acquire.pipe(
      Scope.provide(scope),
      Effect.retry(Schedule.spaced("100 millis").pipe(Schedule.upTo({ times: 50 }))),
    )
    running = { scope, child }
  })

  const kill = (signal: NodeJS.Signals = "SIGKILL") =>
    Effect.gen(function* () {
      const current = running
      if (current === undefined) return
      running = undefined
      process.kill(pidOf(current.child), signal)
      yield* Effect.promise(() => current.child.ended)
      yield* Scope.close(current.scope, Exit.void)
    })

  /** A signal that does not end it: to stop it and to let it go on. */
  const signal = (name: "SIGSTOP" | "SIGCONT") =>
    Effect.sync(() => void (running !== undefined && process.kill(pidOf(running.child), name)))

  yield* start
  yield* Effect.addFinalizer(() => kill())
  return { start, kill, signal }
})
