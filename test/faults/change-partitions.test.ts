// The number of partitions changes under load, up and down, with what may go wrong on the way: nothing is lost or doubled.
import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import { allQuiet, held, mapTo, underLoad, untilShared } from "./partitions-world.ts"
import { Traffic } from "./traffic.ts"
import { until } from "./until.ts"
import { World } from "./world.ts"
import { hasEnded, kill, metricOf, owns, type WriterProcess } from "./writers.ts"

/** So long that nothing of this test is looked up for being late. */
const WINDOW = 600_000

const saying = (writer: WriterProcess, words: string) =>
  until(
    `a writer that says "${words}"`,
    Effect.sync(() => writer.log().includes(words)),
  )

layer(Traffic.layerOf({ window: WINDOW }), { excludeTestServices: true, timeout: "120 seconds" })(
  "the number of partitions",
  (it) => {
    it.effect(
      "goes from 1 to 4, to 2 and back, and what is sent again across a change counts once",
      () =>
        Effect.gen(function* () {
          const { expected } = yield* Traffic
          const { startWriter } = yield* World
          const startOf = (partitions: number) => startWriter({ TIDEMARK_PARTITIONS: String(partitions) })
          // Before the next change, which would prove again, and put right, what this one left wrong.
          const right = Effect.gen(function* () {
            yield* allQuiet
            expect(yield* expected.differences()).toEqual([])
          })
          const four = yield* underLoad((resend) =>
            Effect.gen(function* () {
              const old = yield* startOf(1)
              yield* until("the first owns", owns(old))

              // It hangs, the broker maps to four, and two writers are started for them.
              old.process.kill("SIGSTOP")
              yield* mapTo(4)
              const four = [yield* startOf(4), yield* startOf(4)]
              // With the stream that is left behind.
              yield* untilShared(four, [2, 3])
              const again = yield* resend
              expect(again.some(({ duplicate }) => !duplicate)).toBe(true)
              old.process.kill("SIGCONT")
              yield* until(
                "the one of before has ended",
                Effect.sync(() => hasEnded(old)),
              )
              expect(old.process.exitCode).not.toBe(0)
              expect(old.log()).toContain(
                "the number of partitions is 4, and this process was started with 1",
              )
              return four
            }),
          )
          yield* right

          const two = yield* underLoad((resend) =>
            Effect.gen(function* () {
              // One of another number waits until these are gone. The broker goes on mapping to four.
              const two = yield* startOf(2)
              yield* saying(two, "waits for writers of another number of partitions")
              yield* untilShared(four, [2, 3])
              yield* Effect.forEach(four, (writer) => kill(writer), { concurrency: "unbounded" })
              yield* untilShared([two], [5])
              yield* resend
              yield* until(
                "events sent on",
                Effect.map(metricOf(two, "tidemark_events_forwarded_total"), (n = 0) => n > 0),
              )
              yield* mapTo(2)
              yield* resend
              return two
            }),
          )
          yield* right

          yield* underLoad((resend) =>
            Effect.gen(function* () {
              const one = yield* startOf(1)
              yield* kill(two, "SIGTERM")
              yield* until("one partition again", owns(one))
              yield* mapTo(1)
              yield* resend
            }),
          )
          yield* right
          expect(Object.keys(yield* held)).toEqual([
            "ACTIONS",
            "ACTIONS_0",
            "ACTIONS_1",
            "ACTIONS_2",
            "ACTIONS_3",
          ])
        }),
      240_000,
    )
  },
)
