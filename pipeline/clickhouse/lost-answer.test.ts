import { expect, layer } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { ClickHouse } from "#clickhouse"
import { OwnStore } from "../../test/own-store.ts"
import { openLink } from "../../test/faults/proxy.ts"

/** A client behind a link, whose answers can be swallowed. */
const watched = Effect.gen(function* () {
  const { url } = yield* OwnStore
  const link = yield* openLink(Number(new URL(url).port))
  const store = yield* ClickHouse.pipe(
    Effect.provide(
      ClickHouse.layer({ url: `http://127.0.0.1:${link.port}`, user: "default", password: "", watch: true }),
    ),
  )
  return { link, store }
})

/** Lets the clock that the watch goes by run on while real time passes, until the fiber has ended. */
const whileTimeFlies = <A, E>(fiber: Fiber.Fiber<A, E>) =>
  Effect.gen(function* () {
    while (fiber.pollUnsafe() === undefined) {
      yield* TestClock.adjust("500 millis")
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 10)))
    }
    return yield* Fiber.join(fiber)
  })

layer(OwnStore.layer, { excludeTestServices: true })("a statement that is watched", (it) => {
  it.effect("is given up when its answer was lost on the way, long before the client's own limit", () =>
    Effect.gen(function* () {
      const { link, store } = yield* watched
      link.set("mute")
      const asked = Effect.forkChild(Effect.flip(store.query("SELECT 1 AS one")))
      const error = yield* asked.pipe(Effect.flatMap(whileTimeFlies), Effect.provide(TestClock.layer()))
      expect(error).toMatchObject({ reason: "unavailable", detail: "the answer is lost" })
    }),
  )

  it.effect("is waited for as long as the server runs it", () =>
    Effect.gen(function* () {
      const { store } = yield* watched
      const asked = Effect.forkChild(store.query("SELECT sleep(1) AS slept"))
      const rows = yield* asked.pipe(Effect.flatMap(whileTimeFlies), Effect.provide(TestClock.layer()))
      expect(rows).toEqual([{ slept: 0 }])
    }),
  )
})
