import { Deferred, Effect, Fiber } from "effect"
import { expect, it } from "vitest"
import { SharedLook } from "./shared-look.ts"

/** A look that ends when it is told to, and counts. */
const counted = () => {
  const begun: Array<Deferred.Deferred<number>> = []
  const interrupted: Array<number> = []
  const look = Effect.suspend(() => {
    const answer = Deferred.makeUnsafe<number>()
    const n = begun.push(answer)
    return Effect.onInterrupt(Deferred.await(answer), () => Effect.sync(() => interrupted.push(n)))
  })
  const end = (n: number) =>
    Effect.suspend(() => {
      const answer = begun[n - 1]
      return answer === undefined ? Effect.die(`look ${n} has not begun`) : Deferred.succeed(answer, n)
    })
  return { look, begun, interrupted, end }
}

const settle = Effect.yieldNow.pipe(Effect.repeat({ times: 20 }))

it("those who ask while one is under way share the next one", () =>
  Effect.gen(function* () {
    const { look, begun, end } = counted()
    const shared = new SharedLook<number, never>()
    const ask = Effect.forkChild(shared.ask(look))
    const first = yield* ask
    yield* settle
    const later = yield* Effect.all([ask, ask, ask])
    yield* settle
    expect(begun).toHaveLength(1)
    yield* end(1)
    expect(yield* Fiber.join(first)).toBe(1)
    yield* settle
    expect(begun).toHaveLength(2)
    yield* end(2)
    expect(yield* Effect.all(later.map((fiber) => Fiber.join(fiber)))).toEqual([2, 2, 2])
    const last = yield* ask
    yield* settle
    yield* end(3)
    expect(yield* Fiber.join(last)).toBe(3)
  }).pipe(Effect.runPromise))

it("one that nobody waits for any more is ended, and the next one begins", () =>
  Effect.gen(function* () {
    const { look, begun, interrupted, end } = counted()
    const shared = new SharedLook<number, never>()
    const ask = Effect.forkChild(shared.ask(look))
    const [one, other] = yield* Effect.all([ask, ask])
    yield* settle
    // The second asked when the first look was under way.
    yield* Fiber.interrupt(one)
    yield* settle
    expect(interrupted).toEqual([1])
    expect(begun).toHaveLength(2)
    yield* end(2)
    expect(yield* Fiber.join(other)).toBe(2)
  }).pipe(Effect.runPromise))

it("a failure is everybody's who waited, and the next look is another one", () =>
  Effect.gen(function* () {
    const shared = new SharedLook<number, string>()
    const asked = yield* Effect.all([
      Effect.forkChild(Effect.flip(shared.ask(Effect.fail("no")))),
      Effect.forkChild(Effect.flip(shared.ask(Effect.fail("no")))),
    ])
    expect(yield* Effect.all(asked.map((fiber) => Fiber.join(fiber)))).toEqual(["no", "no"])
    expect(yield* shared.ask(Effect.succeed(5))).toBe(5)
  }).pipe(Effect.runPromise))
