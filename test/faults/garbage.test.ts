import { headers } from "@nats-io/transport-node"
import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import { STREAMS } from "#schemas/names.ts"
import { Nats } from "#nats/connection.ts"
import { Random } from "../../deploy/demo/random.ts"
import { deadLetters } from "./dead-letters.ts"
import { type Garbage, huge, spoil } from "./garbage.ts"
import { Traffic } from "./traffic.ts"
import { until } from "./until.ts"
import { World } from "./world.ts"
import { owns } from "./writers.ts"

const SEED = 3
const ROUNDS = 300
const GARBAGE_A_ROUND = 10
const VALID_A_ROUND = 4

layer(Traffic.layer, { excludeTestServices: true, timeout: "120 seconds" })("garbage", (it) => {
  it.effect(
    "is dead-lettered byte for byte, and every valid event among it is stored once",
    () =>
      Effect.gen(function* () {
        const { jetstream, manager } = yield* Nats
        const { expected, publish, make } = yield* Traffic
        const { startWriter, quiet } = yield* World
        const writer = yield* startWriter()
        const random = new Random(SEED)
        const sent = new Map<number, Garbage>()
        const send = (garbage: Garbage) =>
          Effect.promise(async () => {
            const h = headers()
            if (garbage.messageId !== undefined) h.set("Nats-Msg-Id", garbage.messageId)
            const { seq, duplicate } = await jetstream.publish(garbage.subject, garbage.payload, {
              headers: h,
            })
            expect(duplicate).toBe(false)
            sent.set(seq, garbage)
          })
        for (let round = 0; round < ROUNDS; round++) {
          const some = make("l", GARBAGE_A_ROUND).map(({ message }, n) =>
            spoil(random, round * GARBAGE_A_ROUND + n, message),
          )
          if (round % 30 === 0) some.push(huge(round))
          yield* Effect.forEach(some, send, { concurrency: "unbounded" })
          yield* publish(random.pick(["a", "b", "c"]), VALID_A_ROUND)
        }
        yield* quiet
        expect(yield* expected.differences()).toEqual([])
        expect(expected.rows).toBe(ROUNDS * VALID_A_ROUND)

        const letters = new Map((yield* deadLetters).map((letter) => [letter.sequence, letter]))
        const { state } = yield* Effect.promise(() => manager.streams.info(STREAMS.actions))
        expect(letters.size + expected.rows).toBe(state.messages)
        const wrong = [...sent].flatMap(([seq, { payload }]) => {
          const letter = letters.get(seq)
          if (letter === undefined)
            return [`${seq} is no dead letter: ${Buffer.from(payload).toString().slice(0, 200)}`]
          return letter.payload.equals(payload) ? [] : [`${seq} has other bytes than it was sent with`]
        })
        expect(wrong).toEqual([])
        expect([...new Set([...letters.values()].map(({ reason }) => reason))].toSorted()).toEqual([
          "invalid_event",
          "invalid_json",
          "missing_message_id",
          "subject_mismatch",
          "tenant_mismatch",
          "time_in_future",
          "too_large",
          "too_old",
          "unknown_type",
        ])
        expect(writer.process.exitCode).toBeNull()
        // It may have lost its lease on a busy machine, but it goes on.
        yield* until("the writer owns the partition", owns(writer))
      }),
    { timeout: 90_000 },
  )
})
