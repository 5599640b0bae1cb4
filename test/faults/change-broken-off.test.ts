// A change of the number of partitions is broken off when the broker knows of it and the ledger does not, and a writer of the
// number before goes on: nothing is lost.
import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import { actionStreamOf } from "#schemas/partitions.ts"
import { arrangeActionStreams } from "#nats/action-streams.ts"
import { allQuiet, mapTo, untilShared } from "./partitions-world.ts"
import { TENANTS, Traffic } from "./traffic.ts"
import { until } from "./until.ts"
import { World } from "./world.ts"
import { kill } from "./writers.ts"

const FIRST = "ACTIONS_0"
const areIn = (...partitions: ReadonlyArray<number>) =>
  TENANTS.filter((tenant) => partitions.every((n) => actionStreamOf(tenant, n) === FIRST))
const [stays = "a"] = areIn(2, 4)
const moves = areIn(2).find((tenant) => !areIn(4).includes(tenant)) ?? "a"

layer(Traffic.layerOf({ partitions: 4, window: 600_000 }), {
  excludeTestServices: true,
  timeout: "60 seconds",
})("a change that was broken off", (it) => {
  it.effect(
    "commits nothing that would be sent on into the stream that holds it",
    () =>
      Effect.gen(function* () {
        const { expected, publish } = yield* Traffic
        const { startWriter } = yield* World
        const old = yield* startWriter()
        yield* untilShared([old], [4])
        yield* arrangeActionStreams(2)
        yield* mapTo(2)
        yield* publish(moves, 100, { time: Date.now() })
        yield* until(
          "what is sent on to be refused",
          Effect.sync(() => old.log().includes(`${FIRST} took what is for`)),
        )
        // More than whoever owns the stream next proves again.
        yield* publish(stays, 2000, { time: Date.now() })
        yield* kill(old)
        const two = yield* startWriter({ TIDEMARK_PARTITIONS: "2" })
        yield* untilShared([two], [2])
        yield* allQuiet
        expect(yield* expected.differences()).toEqual([])
      }),
    120_000,
  )
})
