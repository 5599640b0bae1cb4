import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import { BUCKETS } from "#schemas/names.ts"
import { addActionStreams, type TopologyOptions } from "#nats/action-streams.ts"
import { Nats } from "#nats/connection.ts"
import { partitionsInForce, recordedPartitions, recordPartitions } from "#nats/partitions.ts"
import { ensureTopology } from "#nats/topology.ts"
import { OwnBroker } from "../../test/own-broker.ts"
import { announce, readPresences, takeLeave } from "./presence.ts"

const MINUTE = 60_000
const NANOS = 1_000_000
const OPTIONS: TopologyOptions = {
  duplicateWindow: 2 * MINUTE,
  actionsMaxAge: 30 * 24 * 60 * MINUTE,
  replicas: 1,
  partitions: 2,
}

layer(OwnBroker.layer, { excludeTestServices: true })("a change of the number of partitions", (it) => {
  it.effect("gives a stream of a number that was in force before the duplicate window of today", () =>
    Effect.gen(function* () {
      const { manager } = yield* Nats
      yield* ensureTopology(OPTIONS)
      yield* addActionStreams({ ...OPTIONS, duplicateWindow: 60 * MINUTE }, 4)
      for (const name of ["ACTIONS_0", "ACTIONS_3"]) {
        const { config } = yield* Effect.promise(() => manager.streams.info(name))
        expect(config.duplicate_window).toBe(60 * MINUTE * NANOS)
      }
      const { config } = yield* Effect.promise(() => manager.streams.info("ACTIONS_1"))
      expect(config.subjects).toEqual(["partition.1.>"])
    }),
  )

  it.effect("is not written down by one that hung while another was", () =>
    Effect.gen(function* () {
      const { revision } = yield* recordedPartitions
      yield* recordPartitions(3, revision)
      expect(yield* Effect.flip(recordPartitions(4, revision))).toMatchObject({ _tag: "NatsError" })
      expect(yield* partitionsInForce).toBe(3)
    }),
  )

  it.effect("knows who lives, and keeps no word of those that ended", () =>
    Effect.gen(function* () {
      const { manager } = yield* Nats
      yield* announce({ writer: "a", partitions: 2, until: 1000 })
      yield* announce({ writer: "b", partitions: 2, until: 2000 })
      yield* announce({ writer: "c", partitions: 2, until: 2000 })
      yield* takeLeave("c")
      expect((yield* readPresences(1500)).map(({ writer }) => writer)).toEqual(["b"])
      const { config } = yield* Effect.promise(() => manager.streams.info(`KV_${BUCKETS.writers}`))
      expect(config.max_age).toBeGreaterThan(0)
    }),
  )
})
