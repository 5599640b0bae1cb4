import { expect, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { inject } from "vitest"
import type { ClickHouse } from "#clickhouse"
import { PARTITIONS_KEY } from "#schemas/ledger.ts"
import { BUCKETS } from "#schemas/names.ts"
import { actionStreamOf } from "#schemas/partitions.ts"
import { addActionStreams, arrangeActionStreams, type TopologyOptions } from "#nats/action-streams.ts"
import { Nats } from "#nats/connection.ts"
import { recordedPartitions, recordPartitions } from "#nats/partitions.ts"
import { Publisher } from "#nats/publisher.ts"
import { ensureTopology } from "#nats/topology.ts"
import { OwnBroker } from "../../test/own-broker.ts"
import { makeApp } from "../app.ts"
import { ADMIN_KEY, storeAs } from "../test-app.ts"
import { readMoment } from "./moment.ts"

const OPTIONS: TopologyOptions = {
  duplicateWindow: 120_000,
  actionsMaxAge: 86_400_000,
  replicas: 1,
  partitions: 4,
}
/** In another stream at each number. */
const TENANT = "acme"

/** Puts an event into the stream that takes it now, where it waits; gives when it was received. */
const wait = Effect.fnUntraced(function* (stream: string, partition: number) {
  const { jetstream, manager } = yield* Nats
  return yield* Effect.promise(async () => {
    const subject = `partition.${partition}.actions.v1.${TENANT}.cv.downloaded`
    const { seq } = await jetstream.publish(subject, "{}")
    const stored = await manager.streams.getMessage(stream, { seq })
    return stored?.time.getTime() ?? 0
  })
})

const readiness = Effect.gen(function* () {
  const services = yield* Effect.context<ClickHouse | Nats>()
  const { connection } = yield* Nats
  return yield* Effect.promise(async () => {
    const publisher = Publisher.open(connection)
    const app = makeApp({ services, publisher, adminKey: ADMIN_KEY, maxClockAhead: 0, maxAge: 0 })
    const answer = await app.request("/readyz")
    await publisher.close()
    return await answer.json()
  })
})

const emptied = (stream: string) =>
  Effect.flatMap(Nats, ({ manager }) => Effect.promise(() => manager.streams.purge(stream)))

const world = Layer.merge(
  OwnBroker.layer,
  Layer.unwrap(Effect.sync(() => storeAs("tidemark_api", inject("clickhouseUrl")))),
)

layer(world, { excludeTestServices: true })("the moment at which a report begins", (it) => {
  it.effect("says what waits where the number of partitions was lost", () =>
    Effect.gen(function* () {
      const { kv } = yield* Nats
      yield* ensureTopology(OPTIONS)
      yield* Effect.promise(async () => (await kv.open(BUCKETS.ledger)).purge(PARTITIONS_KEY))
      const received = yield* wait("ACTIONS_3", 3)
      expect((yield* readMoment(TENANT)).dataThrough).toBe(received - 1)
    }),
  )

  it.effect("says what waits in the stream of before and in the next while the number changes", () =>
    Effect.gen(function* () {
      expect([1, 4].map((partitions) => actionStreamOf(TENANT, partitions))).toEqual(["ACTIONS", "ACTIONS_3"])
      const { revision } = yield* recordedPartitions
      yield* recordPartitions(4, revision)
      yield* emptied("ACTIONS_3")
      const before = yield* wait("ACTIONS_3", 3)
      yield* addActionStreams(OPTIONS, 1)
      yield* arrangeActionStreams(1)
      const moment = yield* readMoment(TENANT)
      expect(moment.dataThrough).toBe(before - 1)
      // What comes by the stream of before is not on a later page either.
      expect(moment).toMatchObject({ stream: "ACTIONS", othersThrough: before - 1 })

      expect(yield* readiness).toMatchObject({
        status: "ready",
        checks: { partitions: "changing from 4 to 1" },
      })

      const next = yield* wait("ACTIONS", 3)
      yield* emptied("ACTIONS_3")
      expect((yield* readMoment(TENANT)).dataThrough).toBe(next - 1)
      yield* emptied("ACTIONS")
      const { now, dataThrough } = yield* readMoment(TENANT)
      expect(dataThrough).toBe(now)
    }),
  )
})
