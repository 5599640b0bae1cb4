// Writers that share four partitions: whoever comes, goes, dies or hangs, each stream has one owner and each event counts once.
import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import { actionStreams } from "#schemas/partitions.ts"
import { allQuiet, held, underLoad, untilShared } from "./partitions-world.ts"
import { Traffic } from "./traffic.ts"
import { World } from "./world.ts"
import { kill, metricOf } from "./writers.ts"

layer(Traffic.layerOf({ partitions: 4 }), { excludeTestServices: true, timeout: "120 seconds" })(
  "several writers",
  (it) => {
    it.effect(
      "share the streams evenly, whoever comes, dies, hangs, wakes or leaves, and count each event once",
      () =>
        Effect.gen(function* () {
          const { expected } = yield* Traffic
          const { startWriter } = yield* World
          const writers = yield* underLoad(() =>
            Effect.gen(function* () {
              const first = yield* startWriter()
              const second = yield* startWriter()
              yield* untilShared([first, second], [2, 2])
              // One comes as another dies.
              const third = yield* startWriter()
              yield* kill(first)
              yield* untilShared([second, third], [2, 2])
              second.process.kill("SIGSTOP")
              yield* untilShared([third], [4])
              second.process.kill("SIGCONT")
              yield* untilShared([second, third], [2, 2])
              const fourth = yield* startWriter()
              yield* untilShared([second, third, fourth], [1, 1, 2])
              yield* kill(second, "SIGTERM")
              yield* untilShared([third, fourth], [2, 2])
              return [third, fourth]
            }),
          )
          yield* allQuiet
          expect(yield* expected.differences()).toEqual([])
          const streams = yield* held
          expect(Object.keys(streams)).toEqual([...actionStreams(4)])
          // The broker mapped all of them, so none had to be sent on.
          expect(Object.values(streams).every((messages) => messages > 0)).toBe(true)
          for (const writer of writers)
            expect(yield* metricOf(writer, "tidemark_events_forwarded_total")).toBe(0)
        }),
      120_000,
    )
  },
)
