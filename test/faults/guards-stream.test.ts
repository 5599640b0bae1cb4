import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import { ClickHouse } from "#clickhouse"
import { STREAMS } from "#schemas/names.ts"
import { Nats } from "#nats/connection.ts"
import { copyOf, putBack } from "./copies.ts"
import { deadLetters } from "./dead-letters.ts"
import { Traffic } from "./traffic.ts"
import { until } from "./until.ts"
import { World } from "./world.ts"
import { kill, metricOf } from "./writers.ts"

// Long, so that an event which is published again after a restart of the broker still passes for fresh.
const ENVIRONMENT = { DUPLICATE_WINDOW: "30s" }

/** Deletes the stream of actions and makes it anew, empty, as an operator might. */
const makeStreamAnew = Effect.gen(function* () {
  const { manager } = yield* Nats
  yield* Effect.promise(async () => {
    const { config } = await manager.streams.info(STREAMS.actions)
    await manager.streams.delete(STREAMS.actions)
    await manager.streams.add(config)
  })
})

/** What the store says about the lives of the stream. */
const generations = Effect.gen(function* () {
  const store = yield* ClickHouse
  const rows = yield* store.query<{ generation: number }>(
    "SELECT generation FROM tidemark.data_quality WHERE kind = 'new_generation' ORDER BY at",
  )
  return rows.map(({ generation }) => generation)
})

const generationIs = (generation: number) =>
  Effect.gen(function* () {
    const { ledger } = yield* World
    yield* until(
      `generation ${generation}`,
      Effect.map(ledger, (record) => record?.generation === generation).pipe(
        Effect.orElseSucceed(() => false),
      ),
    )
  })

layer(Traffic.layer, { excludeTestServices: true, timeout: "120 seconds" })(
  "a stream that went back",
  (it) => {
    it.effect(
      "made anew while the writer runs, with fewer messages than were committed and then with more",
      () =>
        Effect.gen(function* () {
          const { expected, publish } = yield* Traffic
          const { startWriter, quiet } = yield* World
          const writer = yield* startWriter(ENVIRONMENT)
          yield* publish("a", 60)
          yield* quiet
          yield* makeStreamAnew
          yield* publish("a", 20)
          yield* generationIs(2)
          yield* quiet
          expect(yield* expected.differences()).toEqual([])

          yield* makeStreamAnew
          yield* publish("b", 90)
          yield* generationIs(3)
          yield* quiet
          expect(yield* expected.differences()).toEqual([])
          expect(yield* generations).toEqual([2, 3])
          expect(yield* metricOf(writer, "tidemark_generations_total")).toBe(2)
          expect(yield* deadLetters).toEqual([])
        }),
      { timeout: 120_000 },
    )

    it.effect(
      "made anew while no writer runs",
      () =>
        Effect.gen(function* () {
          const { expected, publish } = yield* Traffic
          const { startWriter, quiet } = yield* World
          yield* makeStreamAnew
          yield* publish("c", 150)
          yield* startWriter(ENVIRONMENT)
          yield* generationIs(4)
          yield* quiet
          expect(yield* expected.differences()).toEqual([])
          expect(yield* generations).toEqual([2, 3, 4])
        }),
      { timeout: 120_000 },
    )

    it.effect(
      "put back from a copy while the writer runs; what was acknowledged later stays counted once",
      () =>
        Effect.gen(function* () {
          const { expected, publish, send } = yield* Traffic
          const { startWriter, quiet } = yield* World
          yield* startWriter(ENVIRONMENT)
          yield* publish("d", 60)
          yield* quiet
          yield* copyOf("nats")
          const later = yield* publish("d", 40, { time: Date.now() })
          yield* quiet
          yield* putBack("nats")
          yield* generationIs(5)
          // Producers that saw the broker go down send again what they are not sure of.
          for (const { message } of later) expect(yield* send(message)).toMatchObject({ duplicate: false })
          yield* publish("d", 20, { time: Date.now() })
          yield* quiet
          expect(yield* expected.differences()).toEqual([])
          expect(yield* generations).toEqual([2, 3, 4, 5])
        }),
      { timeout: 120_000 },
    )

    it.effect(
      "put back from a copy, ledger and all, and grown beyond its former end before a writer saw it",
      () =>
        Effect.gen(function* () {
          const { expected, publish, send } = yield* Traffic
          const { startWriter, quiet } = yield* World
          const before = yield* startWriter(ENVIRONMENT)
          yield* publish("e", 20)
          yield* quiet
          yield* kill(before, "SIGTERM")
          yield* copyOf("nats")
          const writer = yield* startWriter(ENVIRONMENT)
          const later = yield* publish("e", 40, { time: Date.now() })
          yield* quiet
          yield* kill(writer, "SIGTERM")
          yield* putBack("nats")
          yield* publish("f", 60)
          for (const { message } of later) expect(yield* send(message)).toMatchObject({ duplicate: false })
          yield* startWriter(ENVIRONMENT)
          yield* quiet
          expect(yield* expected.differences()).toEqual([])
          expect(yield* generations).toEqual([2, 3, 4, 5, 6])
          expect(yield* deadLetters).toEqual([])
        }),
      { timeout: 120_000 },
    )
  },
)
