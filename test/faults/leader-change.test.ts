import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { STREAMS } from "#schemas/names.ts"
import { Nats } from "#nats/connection.ts"
import { Publisher } from "#nats/publisher.ts"
import { makeClusterWorld } from "./cluster-world.ts"
import { Expected } from "./expected.ts"
import { newerNats } from "./newer-nats.ts"
import { eventFor, publishZones } from "./single-events.ts"
import { until } from "./until.ts"
import { temporaryFolder } from "../temporary-folder.ts"

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

it.live(
  "a fresh event that a new leader takes once more counts once",
  () =>
    Effect.gen(function* () {
      const nats = newerNats()
      // One server has no leader to change; the suite says that there is no cluster.
      if ("missing" in nats) return
      const world = yield* makeClusterWorld({
        dataDir: yield* temporaryFolder,
        servers: 3,
        program: nats.program,
        writers: 1,
      })
      yield* Effect.gen(function* () {
        const { connection, manager } = yield* Nats
        const publisher = Publisher.open(connection, { ackTimeout: 500 })
        const publish = (message: Parameters<typeof publisher.publish>[0]) =>
          Effect.promise(() => publisher.publish(message))
        const expected = new Expected()
        yield* Effect.promise(() => publishZones(publisher, [TENANT]))
        yield* Effect.forEach(world.writers, ({ start }) => start)
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
          Effect.map(expected.differences(), (found) => found.length === 0),
          20,
        )
        yield* Effect.promise(() => publisher.close())
      }).pipe(Effect.provide(world.services))
    }),
  { timeout: 120_000 },
)
