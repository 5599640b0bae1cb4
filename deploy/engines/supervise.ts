import { Deferred, Effect, type Scope } from "effect"
import type { Child } from "./child.ts"
import type { EngineError } from "./engine-error.ts"

/** Before an engine that ended is started again. */
const PAUSE = "500 millis"

/**
 * Keeps an engine running until the scope ends: one that ends by itself, or is killed, is started again on the same
 * data. Returns when it is up for the first time; what keeps it from that is the caller's error.
 */
export const supervise = Effect.fn("supervise")(function* (
  name: string,
  start: Effect.Effect<Child, EngineError, Scope.Scope>,
): Effect.fn.Return<void, EngineError, Scope.Scope> {
  const up = yield* Deferred.make<void, EngineError>()
  const life = Effect.gen(function* () {
    const child = yield* start
    yield* Deferred.succeed(up, undefined)
    yield* Effect.promise(() => child.ended)
    // Told to end by this process, it did what it should.
    if (!child.process.killed)
      yield* Effect.logError(`${name} ended; starting it again`).pipe(
        Effect.annotateLogs({ output: child.complaints() }),
      )
  })
  yield* life.pipe(
    Effect.scoped,
    Effect.catch((error) => Effect.andThen(Deferred.fail(up, error), Effect.logError(error.message))),
    Effect.andThen(Effect.sleep(PAUSE)),
    Effect.forever,
    Effect.forkScoped,
  )
  yield* Deferred.await(up)
})
