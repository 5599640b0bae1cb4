import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import { deadLetters } from "./dead-letters.ts"
import { eventFor } from "./single-events.ts"
import { Traffic } from "./traffic.ts"
import { World } from "./world.ts"
import { kill, metricOf } from "./writers.ts"

const DAY = 86_400_000
/** Noon, so that it is the same UTC day some minutes before and after it. */
const YESTERDAY = Math.floor(Date.now() / DAY) * DAY - DAY / 2

layer(Traffic.layer, { excludeTestServices: true, timeout: "120 seconds" })("an event sent again", (it) => {
  it.effect(
    "when the broker has forgotten it counts once; with another time it is a conflict",
    () =>
      Effect.gen(function* () {
        const { expected, publish, publishForgotten } = yield* Traffic
        const { startWriter, quiet } = yield* World
        const writer = yield* startWriter()
        const [event] = yield* publish("a", 1, { time: YESTERDAY })
        yield* publish("a", 5)
        yield* quiet
        if (event === undefined) return
        yield* publishForgotten(event.message)
        yield* quiet
        expect(yield* expected.differences()).toEqual([])
        expect(yield* metricOf(writer, "tidemark_events_repeated_total")).toBe(1)
        expect(yield* deadLetters).toEqual([])

        // The id of another tenant's event is free.
        const elsewhere = eventFor("b", event.sent.n, { time: YESTERDAY })
        expected.add(elsewhere.sent)
        yield* publishForgotten(elsewhere.message)
        const conflict = eventFor("a", event.sent.n, { time: YESTERDAY + 1 }).message
        yield* publishForgotten(conflict)
        yield* quiet
        expect(yield* expected.differences()).toEqual([])
        const letters = yield* deadLetters
        expect(letters).toMatchObject([
          { reason: "id_conflict", subject: "dead.v1.a.id_conflict", originalSubject: conflict.subject },
        ])
        expect(letters[0]?.payload.equals(conflict.payload)).toBe(true)
        // Leaves nothing in doubt, so that the next one begins with the normal run.
        yield* kill(writer, "SIGTERM")
      }),
    { timeout: 120_000 },
  )

  it.effect(
    "in the same batch counts once, though it was fresh at first",
    () =>
      Effect.gen(function* () {
        const { expected, publish, publishForgotten } = yield* Traffic
        const { startWriter, quiet } = yield* World
        const [event] = yield* publish("c", 1, { time: Date.now() })
        yield* publish("c", 5)
        if (event !== undefined) yield* publishForgotten(event.message)
        yield* publish("c", 5)
        // Nobody read any of it so far.
        const writer = yield* startWriter()
        yield* quiet
        expect(yield* expected.differences()).toEqual([])
        expect(yield* metricOf(writer, "tidemark_events_repeated_total")).toBe(1)
      }),
    { timeout: 120_000 },
  )

  it.effect(
    "while the store is away counts once",
    () =>
      Effect.gen(function* () {
        const { expected, publish, publishForgotten } = yield* Traffic
        const { startWriter, quiet, store } = yield* World
        yield* startWriter()
        yield* publish("d", 5)
        yield* quiet
        yield* store.kill()
        const [fresh] = yield* publish("d", 1, { time: Date.now() })
        const [old] = yield* publish("d", 1, { time: YESTERDAY })
        yield* publish("d", 5)
        if (fresh !== undefined) yield* publishForgotten(fresh.message)
        if (old !== undefined) yield* publishForgotten(old.message)
        yield* store.start
        yield* quiet
        expect(yield* expected.differences()).toEqual([])
      }),
    { timeout: 120_000 },
  )

  it.effect(
    "as a replayed dead letter is looked up, however fresh it is",
    () =>
      Effect.gen(function* () {
        const { expected, publish, send } = yield* Traffic
        const { startWriter, quiet } = yield* World
        const writer = yield* startWriter()
        yield* publish("e", 1)
        yield* quiet
        const events = yield* publish("e", 20, { time: Date.now() })
        for (const { message } of events)
          expect(yield* send({ ...message, messageId: `${message.messageId}:replay:1` })).toMatchObject({
            duplicate: false,
          })
        yield* quiet
        expect(yield* expected.differences()).toEqual([])
        expect(yield* metricOf(writer, "tidemark_events_repeated_total")).toBe(20)
      }),
    { timeout: 120_000 },
  )
})
