import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { Effect, Schedule } from "effect"
import type { LedgerRecord } from "#schemas/ledger.ts"
import { BUCKETS, STREAMS } from "#schemas/names.ts"
import { Nats } from "#nats/connection.ts"
import { Publisher } from "#nats/publisher.ts"
import { clickhouseUrlOf, natsUrlOf } from "../deploy/settings.ts"
import { makeBareStore } from "./bare-store.ts"
import { benchEvent } from "./events.ts"
import { makeStack, peakMemory } from "./stack.ts"

const BARE = fileURLToPath(new URL("./bare.ts", import.meta.url))
const run = promisify(execFile)

const publishAll = (count: number, timeOf: (n: number) => number) =>
  Effect.gen(function* () {
    const { connection } = yield* Nats
    const publisher = Publisher.open(connection, { maxInFlight: 8192 })
    const began = performance.now()
    yield* Effect.promise(async () => {
      let acknowledgements: Array<Promise<unknown>> = []
      for (let n = 0; n < count; n++) {
        acknowledgements.push(publisher.publish(benchEvent(n, timeOf(n))))
        if (acknowledgements.length >= 8192) {
          await Promise.all(acknowledgements)
          acknowledgements = []
        }
      }
      await Promise.all(acknowledgements)
      await publisher.close()
    })
    return (performance.now() - began) / 1000
  })

const committed = Effect.gen(function* () {
  const { kv } = yield* Nats
  return yield* Effect.promise(async () => {
    const entry = await (await kv.open(BUCKETS.ledger)).get(STREAMS.actions)
    return entry?.json<LedgerRecord>().committed ?? 0
  })
})

const perSecond = (events: number, seconds: number): number => Math.round(events / seconds)

/**
 * The rate at which the writer drains a backlog, beside the bare loop on the same messages, with the same rollups and
 * without any. Fresh events cost no look-up; old ones are all looked up.
 */
export const drain = Effect.fn("drain")(function* (bench: string, events: number, isOld: boolean) {
  const stack = yield* makeStack
  const now = Date.now()
  const DAY = 86_400_000
  const timeOf = isOld ? (n: number) => now - 30 * DAY + (n / events) * 29 * DAY : () => Date.now()
  const publishing = yield* publishAll(events, timeOf).pipe(Effect.provide(stack.services))

  const bare = Effect.fnUntraced(function* (table: string, withViews: boolean) {
    yield* makeBareStore(table, withViews).pipe(Effect.provide(stack.owner))
    const { stdout } = yield* Effect.promise(() =>
      run(process.execPath, [
        BARE,
        natsUrlOf(stack.settings),
        clickhouseUrlOf(stack.settings),
        STREAMS.actions,
        `bench.${table}`,
        String(events),
      ]),
    )
    const { seconds } = JSON.parse(stdout) as { seconds: number }
    return perSecond(events, seconds)
  })
  const bareRate = yield* bare("bare", true)
  const bareWithoutRollups = yield* bare("plain", false)

  const writer = yield* stack.command("writer")
  // The clock starts with the first lease: starting a process is not draining.
  const poll = Schedule.spaced("20 millis")
  const ledger = Effect.gen(function* () {
    const { kv } = yield* Nats
    return yield* Effect.promise(
      async () => (await (await kv.open(BUCKETS.ledger)).get(STREAMS.actions)) !== null,
    )
  }).pipe(Effect.provide(stack.services))
  yield* ledger.pipe(Effect.repeat({ until: (exists) => exists, schedule: poll }))
  const began = performance.now()
  yield* committed.pipe(
    Effect.provide(stack.services),
    Effect.repeat({ until: (seq) => seq >= events, schedule: poll }),
  )
  const rate = perSecond(events, (performance.now() - began) / 1000)
  return {
    bench,
    events,
    events_per_second: rate,
    bare_events_per_second: bareRate,
    ratio: Number((rate / bareRate).toFixed(2)),
    bare_without_rollups_events_per_second: bareWithoutRollups,
    ratio_without_rollups: Number((rate / bareWithoutRollups).toFixed(2)),
    peak_rss_mb: peakMemory(writer.pid ?? 0),
    publish_events_per_second: perSecond(events, publishing),
  }
}, Effect.scoped)
