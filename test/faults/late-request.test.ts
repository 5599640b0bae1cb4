// A request may reach the store when whoever sent it has given up: something on the way had kept it.
import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import { TABLES } from "#schemas/names.ts"
import { openLink } from "./proxy.ts"
import { Traffic } from "./traffic.ts"
import { until } from "./until.ts"
import { World } from "./world.ts"
import { metricOf, owns } from "./writers.ts"

layer(Traffic.layer, { excludeTestServices: true, timeout: "60 seconds" })("an insert", (it) => {
  it.effect(
    "that arrives when its answer was given up, and its deadline is not over, counts once",
    () =>
      Effect.gen(function* () {
        const { expected, publish } = yield* Traffic
        const { startWriter, quiet, clickhouseUrl } = yield* World
        const link = yield* openLink(Number(new URL(clickhouseUrl).port))
        // Longer than it takes to give an answer up.
        const writer = yield* startWriter({
          CLICKHOUSE_URL: `http://127.0.0.1:${link.port}`,
          WRITER_LEASE: "15s",
        })
        yield* until("it owns", owns(writer))
        yield* publish("a", 5)
        yield* quiet

        const release = link.keepNext(`INSERT+INTO+${TABLES.actions}`)
        yield* publish("a", 20)
        yield* until(
          "the answer given up",
          Effect.map(
            metricOf(writer, 'tidemark_doubts_total{stream="ACTIONS",cause="insert_failed"}'),
            (doubts = 0) => doubts > 0,
          ),
        )
        // Time to prove, and to insert what is missing, for one who does not wait.
        yield* Effect.sleep("1500 millis")
        release()
        // Longer than it takes the store to carry it out: seen before that, twice as many rows would look right.
        yield* Effect.sleep("3 seconds")
        yield* quiet
        expect(yield* expected.differences()).toEqual([])
      }),
    { timeout: 90_000 },
  )
})
