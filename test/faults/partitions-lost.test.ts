// The record of the number of partitions is lost, while a stream of another number is still there: writers go on, and write it
// down again.
import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import { PARTITIONS_KEY } from "#schemas/ledger.ts"
import { BUCKETS } from "#schemas/names.ts"
import { addActionStreams } from "#nats/action-streams.ts"
import { Nats } from "#nats/connection.ts"
import { recordedPartitions } from "#nats/partitions.ts"
import { allQuiet, untilShared } from "./partitions-world.ts"
import { TENANTS, Traffic } from "./traffic.ts"
import { until } from "./until.ts"
import { WINDOW, World } from "./world.ts"
import { hasEnded, kill } from "./writers.ts"

layer(Traffic.layerOf({ partitions: 4 }), { excludeTestServices: true, timeout: "60 seconds" })(
  "a number of partitions that was lost",
  (it) => {
    it.effect(
      "is written down again, by writers at work and by those that start",
      () =>
        Effect.gen(function* () {
          const { expected, publish } = yield* Traffic
          const { startWriter } = yield* World
          const { kv } = yield* Nats
          const lose = Effect.promise(async () => (await kv.open(BUCKETS.ledger)).purge(PARTITIONS_KEY))
          const found = until(
            "the number written down again",
            Effect.map(recordedPartitions, ({ partitions }) => partitions === 4),
          )
          yield* addActionStreams(
            { duplicateWindow: WINDOW, actionsMaxAge: 30 * 86_400_000, replicas: 1, partitions: 4 },
            1,
          )
          const atWork = yield* startWriter()
          yield* untilShared([atWork], [4])
          yield* lose
          yield* found
          expect(hasEnded(atWork)).toBe(false)

          yield* kill(atWork)
          yield* lose
          const started = yield* startWriter()
          yield* found
          for (const tenant of TENANTS) yield* publish(tenant, 20, { time: Date.now() })
          yield* untilShared([started], [4])
          yield* allQuiet
          expect(yield* expected.differences()).toEqual([])
        }),
      120_000,
    )
  },
)
