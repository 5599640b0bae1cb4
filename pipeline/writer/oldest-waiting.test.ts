import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import { Nats } from "#nats/connection.ts"
import { broker } from "../../test/services.ts"
import { receivedAt } from "./lease.ts"

layer(broker)("the oldest message that waits", (it) => {
  it.effect("is the next that is there when the first is dropped already", () =>
    Effect.gen(function* () {
      const { manager, jetstream } = yield* Nats
      const name = "OLDEST_WAITING"
      yield* Effect.acquireRelease(
        Effect.promise(() => manager.streams.add({ name, subjects: ["oldest-waiting.>"] })),
        () => Effect.promise(() => manager.streams.delete(name)),
      )
      for (const token of ["a", "b", "c"])
        yield* Effect.promise(() => jetstream.publish(`oldest-waiting.${token}`))
      const second = (yield* Effect.promise(() => manager.streams.getMessage(name, { seq: 2 })))?.time
      yield* Effect.promise(() => manager.streams.deleteMessage(name, 1))
      expect(second).toBeDefined()
      expect(yield* receivedAt(name, 1)).toBe(second?.getTime())
      expect(yield* receivedAt(name, 4)).toBeUndefined()
    }),
  )
})
