import { Deferred, Effect, Fiber } from "effect"

interface Round<A, E> {
  readonly answer: Deferred.Deferred<A, E>
  waiting: number
  fiber: Fiber.Fiber<A, E> | undefined
}

/**
 * A look that many ask for at once: each is answered by one that was begun after it asked, and all who ask while one
 * is under way share the next. So nobody is told what was true before the question, and however many ask, two looks
 * follow each other at most. Nobody's leaving ends it but the last one's.
 */
export class SharedLook<A, E> {
  #underWay: Round<A, E> | undefined
  #next: Round<A, E> | undefined

  ask<R>(look: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.acquireUseRelease(
      Effect.suspend(() => {
        const round = (this.#next ??= { answer: Deferred.makeUnsafe<A, E>(), waiting: 0, fiber: undefined })
        round.waiting++
        return Effect.as(this.#begin(look), round)
      }),
      ({ answer }) => Deferred.await(answer),
      (round) => this.#leave(round),
    )
  }

  /** Begins the next round unless one is under way, which will do it at its end. */
  #begin<R>(look: Effect.Effect<A, E, R>): Effect.Effect<void, never, R> {
    return Effect.suspend(() => {
      const round = this.#next
      if (round === undefined || this.#underWay !== undefined) return Effect.void
      this.#underWay = round
      this.#next = undefined
      const looking = Effect.onExit(Effect.interruptible(look), (exit) => {
        this.#underWay = undefined
        return Effect.andThen(Deferred.done(round.answer, exit), this.#begin(look))
      })
      return Effect.map(Effect.forkDetach(looking), (fiber) => {
        round.fiber = fiber
      })
    })
  }

  #leave(round: Round<A, E>): Effect.Effect<void> {
    return Effect.suspend(() => {
      round.waiting--
      if (round.waiting > 0 || round !== this.#underWay || round.fiber === undefined) return Effect.void
      return Effect.asVoid(Effect.forkDetach(Fiber.interrupt(round.fiber)))
    })
  }
}
