import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import { ClickHouse } from "#clickhouse"
import { deadLetters } from "./dead-letters.ts"
import { Traffic } from "./traffic.ts"
import { World } from "./world.ts"
import { metricOf } from "./writers.ts"

const INSERT_FAILED = 'tidemark_doubts_total{stream="ACTIONS",cause="insert_failed"}'

layer(Traffic.layer, { excludeTestServices: true, timeout: "120 seconds" })("a view that throws", (it) => {
  it.effect(
    "drops nothing and blames no event",
    () =>
      Effect.gen(function* () {
        const store = yield* ClickHouse
        const { expected, publish } = yield* Traffic
        const { startWriter, quiet } = yield* World
        const writer = yield* startWriter()
        yield* publish("a", 30)
        yield* quiet
        expect(yield* metricOf(writer, INSERT_FAILED)).toBe(0)

        yield* store.command("CREATE TABLE tidemark.thrown (n UInt8) ENGINE = Null")
        yield* store.command(
          `CREATE MATERIALIZED VIEW tidemark.thrower TO tidemark.thrown AS
           SELECT throwIf(page = 'bad', 'a view of a test') AS n FROM tidemark.actions`,
        )
        for (let round = 1; round <= 3; round++) {
          // Among neighbours, and alone in its batch.
          yield* publish("a", 20)
          yield* publish("a", 1, { page: "bad" })
          yield* publish("b", 20)
          yield* quiet
          yield* publish("b", 1, { page: "bad" })
          yield* quiet
        }
        expect(yield* expected.differences()).toEqual([])
        expect(yield* deadLetters).toEqual([])
        const doubts = yield* metricOf(writer, INSERT_FAILED)
        // One doubt may settle several of them.
        expect(doubts).toBeGreaterThan(0)

        yield* store.command("DROP TABLE tidemark.thrower")
        yield* publish("a", 50, { page: "bad" })
        yield* publish("b", 50)
        yield* quiet
        expect(yield* expected.differences()).toEqual([])
        expect(yield* deadLetters).toEqual([])
        expect(yield* metricOf(writer, INSERT_FAILED)).toBe(doubts)
      }),
    { timeout: 120_000 },
  )
})
