import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import { Random } from "../../deploy/demo/random.ts"
import { deadLetters } from "./dead-letters.ts"
import { Load } from "./load.ts"
import { Traffic } from "./traffic.ts"
import { until } from "./until.ts"
import { WINDOW, World } from "./world.ts"
import { metricOf } from "./writers.ts"

const MEBIBYTE = 1024 * 1024
const RATE = 1000
/** Far above what a writer needs, far below what a backlog in memory would take. */
const MEMORY = 400 * MEBIBYTE

layer(Traffic.layer, { excludeTestServices: true, timeout: "120 seconds" })("under load", (it) => {
  it.effect(
    "the store away, then the broker: nothing is lost or doubled",
    () =>
      Effect.gen(function* () {
        const { publisher } = yield* Traffic
        const { startWriter, quiet, store, broker } = yield* World
        const load = new Load(publisher, new Random(7), WINDOW)
        yield* Effect.promise(() => load.introduce())
        const writer = yield* startWriter()
        let isOver = false
        yield* Effect.addFinalizer(() => Effect.sync(() => (isOver = true)))
        const loading = load.run(RATE, () => isOver)
        const stored = (rows: number) =>
          until(
            `${rows} rows stored`,
            Effect.map(metricOf(writer, "tidemark_events_stored_total"), (n = 0) => n >= rows),
          )
        const grown = (events: number) =>
          Effect.suspend(() => {
            const target = load.expected.rows + events
            return until(
              `${events} more events`,
              Effect.sync(() => load.expected.rows >= target),
            )
          })
        const memory = Effect.map(metricOf(writer, "tidemark_writer_memory_bytes"), (bytes = 0) => bytes)

        yield* stored(1000)
        yield* store.kill()
        yield* grown(4 * RATE)
        expect(yield* memory).toBeLessThan(MEMORY)
        // The stream keeps for 30 days what waits, and the writer counts them.
        const left = yield* metricOf(writer, "tidemark_stream_seconds_to_loss")
        expect(Math.ceil((left ?? 0) / 86_400)).toBe(30)
        yield* store.start
        yield* stored(4 * RATE)

        yield* broker.kill()
        yield* broker.start
        yield* grown(2 * RATE)
        isOver = true
        yield* Effect.promise(() => loading)
        yield* quiet
        expect(yield* load.expected.differences()).toEqual([])
        expect((yield* deadLetters).length).toBe(load.bad)
        expect(yield* memory).toBeLessThan(MEMORY)
      }),
    { timeout: 120_000 },
  )
})
