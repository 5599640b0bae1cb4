import { readFileSync } from "node:fs"
import { Effect, Fiber } from "effect"
import type { LedgerRecord } from "#schemas/ledger.ts"
import { BUCKETS } from "#schemas/names.ts"
import { Nats } from "#nats/connection.ts"
import type { Acknowledgement, Message } from "#nats/publisher.ts"
import { findActionStreams } from "#nats/partitions.ts"
import { natsPidFile } from "../../deploy/engines/nats.ts"
import { writeServices } from "../../deploy/nats/services-file.ts"
import { usersFolder } from "../../deploy/nats/tenants.ts"
import { TENANTS, Traffic } from "./traffic.ts"
import { until } from "./until.ts"
import { World } from "./world.ts"
import { streamsOf, type WriterProcess } from "./writers.ts"

/** What every stream of actions holds and its ledger says. The broker may be on its way up. */
const standings = Effect.gen(function* () {
  const { manager, kv } = yield* Nats
  const streams = yield* findActionStreams()
  return yield* Effect.tryPromise(async () => {
    const ledger = await kv.open(BUCKETS.ledger)
    return await Promise.all(
      streams.map(async (stream) => {
        const { state } = await manager.streams.info(stream)
        const entry = await ledger.get(stream)
        const record = entry?.operation === "PUT" ? entry.json<LedgerRecord>() : undefined
        return { stream, last: state.last_seq, messages: state.messages, record }
      }),
    )
  })
})

/** Waits until all that the streams hold is committed, be it sent on from one to another. */
export const allQuiet = until(
  "everything committed",
  Effect.map(standings, (streams) =>
    streams.every(({ last, record }) => (record?.committed ?? 0) >= last),
  ).pipe(Effect.orElseSucceed(() => false)),
  60,
)

/** How many messages each stream holds, by its name. */
export const held = Effect.map(standings, (streams) =>
  Object.fromEntries(streams.map(({ stream, messages }) => [stream, messages])),
)

/** Until the writers own so many streams each, whoever how many. */
export const untilShared = (writers: ReadonlyArray<WriterProcess>, shares: ReadonlyArray<number>) =>
  until(
    `writers that own ${shares.join(" and ")} streams`,
    Effect.map(
      Effect.all(writers.map(streamsOf)),
      (owned) => owned.toSorted().join() === shares.toSorted().join(),
    ),
    60,
  )

/** Has the broker map to another number of partitions, as an operator does. */
export const mapTo = Effect.fn("mapTo")(function* (partitions: number) {
  const { dataDir } = yield* World
  yield* Effect.sync(() => {
    writeServices(usersFolder(dataDir), partitions)
    process.kill(Number(readFileSync(natsPidFile(dataDir), "utf8")), "SIGHUP")
  })
})

/**
 * Publishes events of every tenant while something happens, and some of them again at once; then all are acknowledged.
 * `resend` sends the first ones of every tenant again.
 */
export const underLoad = <A, E, R>(
  work: (resend: Effect.Effect<ReadonlyArray<Acknowledgement>>) => Effect.Effect<A, E, R>,
) =>
  Effect.gen(function* () {
    const { publish, send } = yield* Traffic
    const first: Array<Message> = []
    let stopped = false
    let n = 0
    const round = Effect.gen(function* () {
      // Fresh ones, which are looked up for nothing but the change.
      const events = yield* publish(TENANTS[n % TENANTS.length] ?? "a", 20, { time: Date.now() })
      const messages = events.map(({ message }) => message)
      if (n < TENANTS.length) first.push(...messages.slice(0, 3))
      yield* Effect.forEach(messages.slice(n % 20, (n % 20) + 1), send)
      n++
      // So few that a slow machine stores what waits faster than more comes.
      yield* Effect.sleep("100 millis")
    })
    const load = yield* round.pipe(Effect.repeat({ until: () => stopped }), Effect.forkScoped)
    const done = yield* work(Effect.suspend(() => Effect.forEach(first, send)))
    stopped = true
    yield* Fiber.join(load)
    return done
  })
