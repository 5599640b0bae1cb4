import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import { RetentionPolicy } from "@nats-io/jetstream"
import { BUCKETS, EXPORT_FILES, STREAMS } from "#schemas/names.ts"
import { OwnBroker } from "../../test/own-broker.ts"
import { Nats } from "./connection.ts"
import type { TopologyOptions } from "./action-streams.ts"
import { ensureTopology } from "./topology.ts"

const DAY = 86_400_000
const NANOS = 1_000_000
const OPTIONS: TopologyOptions = {
  duplicateWindow: 5000,
  actionsMaxAge: 30 * DAY,
  replicas: 1,
  partitions: 1,
}

const streams = Effect.flatMap(Nats, ({ manager }) =>
  Effect.promise(async () => {
    const found = new Map<string, { created: string; config: object }>()
    for await (const { created, config } of manager.streams.list())
      found.set(config.name, { created, config })
    return found
  }),
)

const actions = Effect.flatMap(Nats, ({ manager }) =>
  Effect.promise(async () => (await manager.streams.info(STREAMS.actions)).config),
)

layer(OwnBroker.layer, { excludeTestServices: true })("the topology", (it) => {
  it.effect("is made by two at once, and again without a change", () =>
    Effect.gen(function* () {
      yield* Effect.all([ensureTopology(OPTIONS), ensureTopology(OPTIONS), ensureTopology(OPTIONS)], {
        concurrency: "unbounded",
      })
      const made = yield* streams
      const buckets = [...Object.values(BUCKETS).map((bucket) => `KV_${bucket}`), `OBJ_${EXPORT_FILES}`]
      expect([...made.keys()].toSorted()).toEqual([...Object.values(STREAMS), ...buckets].toSorted())
      yield* ensureTopology(OPTIONS)
      expect(yield* streams).toEqual(made)
    }),
  )

  it.effect("keeps what is longer and takes a new window, without losing a message", () =>
    Effect.gen(function* () {
      const { jetstream, manager } = yield* Nats
      yield* Effect.promise(() => jetstream.publish("actions.v1.a.b.c", "x"))
      yield* ensureTopology({ ...OPTIONS, duplicateWindow: 60_000, actionsMaxAge: 60 * DAY })
      expect(yield* actions).toMatchObject({
        duplicate_window: 60_000 * NANOS,
        max_age: 60 * DAY * NANOS,
        max_msg_size: 256 * 1024,
      })
      const { state } = yield* Effect.promise(() => manager.streams.info(STREAMS.actions))
      expect(state.messages).toBe(1)
    }),
  )

  it.effect("refuses to shrink what a stream keeps, and leaves it as it was", () =>
    Effect.gen(function* () {
      const before = yield* actions
      const error = yield* Effect.flip(ensureTopology({ ...OPTIONS, actionsMaxAge: 7 * DAY }))
      expect(error).toMatchObject({ _tag: "TopologyError", stream: STREAMS.actions })
      expect(error.message).toContain("max_age would shrink from 5184000 s to 604800 s and drop messages")
      expect(yield* actions).toEqual(before)
    }),
  )

  it.effect("refuses a stream that takes more subjects, or keeps messages in another way", () =>
    Effect.gen(function* () {
      const { manager } = yield* Nats
      yield* Effect.promise(async () => {
        await manager.streams.delete(STREAMS.actions)
        await manager.streams.add({
          name: STREAMS.actions,
          subjects: ["actions.v1.>", "others.>"],
          retention: RetentionPolicy.Workqueue,
        })
      })
      const error = yield* Effect.flip(ensureTopology(OPTIONS))
      expect(error).toMatchObject({ _tag: "TopologyError", stream: STREAMS.actions })
      expect(error.message).toContain("retention is workqueue, not limits")
      expect(error.message).toContain("it also takes others.>")
      expect((yield* actions).subjects).toEqual(["actions.v1.>", "others.>"])
    }),
  )
})
