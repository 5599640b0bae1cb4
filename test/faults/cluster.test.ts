import { expect, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { STREAMS } from "#schemas/names.ts"
import { Nats } from "#nats/connection.ts"
import { Publisher } from "#nats/publisher.ts"
import { Random } from "../../deploy/demo/random.ts"
import { temporaryFolder } from "../temporary-folder.ts"
import { makeClusterWorld } from "./cluster-world.ts"
import { Expected } from "./expected.ts"
import { Load } from "./load.ts"
import { newerNats } from "./newer-nats.ts"
import { eventFor, publishZones } from "./single-events.ts"
import { until } from "./until.ts"
import { WINDOW } from "./world.ts"
import { metricOf, owns, standsBy } from "./writers.ts"

const nats = newerNats()

const makeWorld = Effect.gen(function* () {
  const where =
    "missing" in nats ? { servers: 1, program: "nats-server" } : { servers: 3, program: nats.program }
  return yield* makeClusterWorld({ dataDir: yield* temporaryFolder, writers: 2, partitions: 1, ...where })
})

class Cluster extends Context.Service<Cluster, Effect.Success<typeof makeWorld>>()("tidemark/test/Cluster") {
  static readonly layer = Layer.effectContext(
    Effect.map(makeWorld, (world) => Context.add(world.services, Cluster, world)),
  )
}

const publisherOf = Effect.acquireRelease(
  Effect.map(Nats, ({ connection }) => Publisher.open(connection, { ackTimeout: 500 })),
  (publisher) => Effect.promise(() => publisher.close()),
)

/** An owner, and a writer that stands by; with their links. */
const twoWriters = Effect.gen(function* () {
  const [first, second] = (yield* Cluster).writers
  if (first === undefined || second === undefined) throw new Error("there are two writers")
  const owner = yield* first.start
  yield* until("the first owns", owns(owner))
  const standby = yield* second.start
  yield* until("the second stands by", standsBy(standby))
  return [
    { ...first, process: owner },
    { ...second, process: standby },
  ] as const
})

const TENANT = "a"

/** Has the stream led by another server, and waits until it is. */
const changeLeader = Effect.gen(function* () {
  const { connection, manager } = yield* Nats
  const leader = Effect.tryPromise(() => manager.streams.info(STREAMS.actions)).pipe(
    Effect.map(({ cluster }) => cluster?.leader),
    Effect.orElseSucceed(() => undefined),
  )
  const before = yield* leader
  yield* Effect.promise(() => connection.request(`$JS.API.STREAM.LEADER.STEPDOWN.${STREAMS.actions}`))
  yield* until(
    "another leader",
    Effect.map(leader, (now) => now !== undefined && now !== before),
  )
})

layer(Cluster.layer, { excludeTestServices: true, timeout: "120 seconds" })("on a cluster", (it) => {
  it.effect(
    "an owner whose connections lead nowhere is replaced in seconds, and finds its way back when it can",
    () =>
      Effect.gen(function* () {
        const world = yield* Cluster
        const publisher = yield* publisherOf
        const load = new Load(publisher, new Random(11), WINDOW)
        yield* Effect.promise(() => load.introduce())
        const [first, second] = yield* twoWriters
        let isOver = false
        yield* Effect.addFinalizer(() => Effect.sync(() => (isOver = true)))
        const loading = load.run(500, () => isOver)

        // Nothing tells the first that its brokers are gone.
        for (const link of first.toBrokers) link.set("half_open")
        yield* until("the second owns", owns(second.process))
        for (const link of first.toBrokers) link.set("pass")
        yield* until("the first stands by", standsBy(first.process))

        // Who does not reach the store gives the partition to whoever may.
        second.toStore.set("half_open")
        yield* until("the first owns again", owns(first.process))
        second.toStore.set("pass")

        // Answers are lost, and the connections after them are whole: the lease goes on, and so must the work.
        for (let n = 0; n < 10; n++) {
          first.toStore.set("half_open")
          first.toStore.set("pass")
          yield* Effect.sleep("100 millis")
        }
        isOver = true
        yield* Effect.promise(() => loading)
        yield* Effect.promise(() => load.finish())
        expect(yield* world.quiet).toBeUndefined()
        expect(yield* load.expected.differences(true)).toEqual([])
      }),
    { timeout: 120_000 },
  )

  it.effect(
    "a store that takes no connection for a while is proved again, though its clock tells of no start",
    () =>
      Effect.gen(function* () {
        const [first] = yield* twoWriters
        const publisher = yield* publisherOf
        let n = 0
        const received = Effect.map(
          metricOf(first.process, "tidemark_messages_received_total"),
          (messages = 0) => messages,
        )
        // What was in doubt is proved: it reads what comes.
        const reads = Effect.gen(function* () {
          const before = yield* received
          yield* until(
            "it reads",
            Effect.promise(() => publisher.publish(eventFor("z", ++n).message)).pipe(
              Effect.andThen(Effect.sleep("250 millis")),
              Effect.andThen(received),
              Effect.map((messages) => messages > before),
            ),
            60,
          )
        })
        const restarts = metricOf(
          first.process,
          'tidemark_doubts_total{stream="ACTIONS",cause="store_restarted"}',
        )
        expect(yield* restarts).toBe(0)
        // Shorter than the lease, so that the tenure goes on; therefore perhaps between two looks at the store.
        const cutOff = Effect.gen(function* () {
          yield* reads
          first.toStore.set("cut")
          yield* Effect.sleep("500 millis")
          first.toStore.set("pass")
          yield* Effect.sleep("2 seconds")
          return (yield* restarts) ?? 0
        })
        yield* until(
          "a proof",
          Effect.map(cutOff, (count) => count > 0),
          100,
        )
      }),
    { timeout: 180_000 },
  )

  it.effect(
    "a fresh event that a new leader takes once more counts once",
    () =>
      Effect.gen(function* () {
        // One server has no leader to change; the suite says that there is no cluster.
        if ("missing" in nats) return
        const world = yield* Cluster
        const { manager } = yield* Nats
        const publisher = yield* publisherOf
        const publish = (message: Parameters<typeof publisher.publish>[0]) =>
          Effect.promise(() => publisher.publish(message))
        const expected = new Expected()
        yield* Effect.promise(() => publishZones(publisher, [TENANT]))
        yield* twoWriters
        const first = eventFor(TENANT, 1)
        expected.add(first.sent)
        yield* publish(first.message)
        expect(yield* world.quiet).toBeUndefined()

        // A broker that forgets soon, as one does whose new leader has not applied all of the log.
        const { config } = yield* Effect.promise(() => manager.streams.info(STREAMS.actions))
        yield* Effect.promise(() =>
          manager.streams.update(STREAMS.actions, { ...config, duplicate_window: 100 * 1_000_000 }),
        )
        for (let n = 2; ; n++) {
          const { sent, message } = eventFor(TENANT, n, { time: Date.now() })
          expected.add(sent)
          yield* publish(message)
          yield* changeLeader
          // Later than this it would be looked up as a late one.
          let stored = 0
          while (stored === 0 && Date.now() < sent.time + 1300) {
            const again = yield* publish(message)
            if (!again.duplicate) stored = again.seq
          }
          if (stored > 0) break
        }
        expect(yield* world.quiet).toBeUndefined()
        yield* until(
          "each counted once",
          Effect.map(expected.differences(true), (found) => found.length === 0),
        )
      }),
    { timeout: 120_000 },
  )
})
