import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import { ClickHouse } from "#clickhouse"
import { actionSubject } from "#schemas/names.ts"
import { copyOf, putBack } from "./copies.ts"
import { deadLetters } from "./dead-letters.ts"
import { Traffic } from "./traffic.ts"
import { until } from "./until.ts"
import { World } from "./world.ts"
import { kill, metricOf } from "./writers.ts"

/** The store holds what it should. */
const isRight = Effect.gen(function* () {
  const { expected } = yield* Traffic
  return (yield* expected.differences()).length === 0
}).pipe(Effect.orElseSucceed(() => false))

layer(Traffic.layer, { excludeTestServices: true, timeout: "120 seconds" })(
  "a store that lost rows",
  (it) => {
    it.effect(
      "put back from a copy while the writer runs gets what was committed later once more",
      () =>
        Effect.gen(function* () {
          const { expected, publish } = yield* Traffic
          const { startWriter, quiet } = yield* World
          yield* startWriter()
          yield* publish("a", 500)
          yield* quiet
          yield* copyOf("clickhouse")
          yield* publish("a", 1500)
          yield* publish("b", 500)
          yield* quiet
          expect(yield* expected.differences()).toEqual([])
          yield* putBack("clickhouse")
          yield* until("everything there again", isRight)
          yield* publish("b", 10)
          yield* quiet
          expect(yield* expected.differences()).toEqual([])
        }),
      { timeout: 120_000 },
    )

    it.effect(
      "put back gets it too when nothing but refused messages came last",
      () =>
        Effect.gen(function* () {
          const { publish, publisher } = yield* Traffic
          const { startWriter, quiet } = yield* World
          const writer = yield* startWriter()
          yield* quiet
          yield* copyOf("clickhouse")
          yield* publish("c", 500)
          yield* Effect.promise(() =>
            Promise.all(
              Array.from({ length: 900 }, (_, n) =>
                publisher.publish({
                  subject: actionSubject("c", "note.logged"),
                  messageId: `c:refused-${n}`,
                  payload: Buffer.from("no event"),
                }),
              ),
            ),
          )
          yield* quiet
          yield* kill(writer, "SIGTERM")
          yield* putBack("clickhouse")
          yield* startWriter()
          yield* until("everything there again", isRight)
          yield* quiet
          const letters = yield* deadLetters
          expect(new Set(letters.map(({ sequence }) => sequence)).size).toBe(900)
          expect(letters.length).toBe(900)
        }),
      { timeout: 120_000 },
    )

    it.effect(
      "that lacks a batch which a later one had overtaken gets it",
      () =>
        Effect.gen(function* () {
          const store = yield* ClickHouse
          const { expected, publish } = yield* Traffic
          const { startWriter, quiet } = yield* World
          const writer = yield* startWriter()
          yield* publish("d", 400)
          yield* publish("e", 400)
          yield* quiet
          yield* kill(writer, "SIGTERM")
          yield* store.command("ALTER TABLE tidemark.actions DELETE WHERE tenant = 'd'", {
            settings: { mutations_sync: "2" },
          })
          expect((yield* expected.differences()).length).toBeGreaterThan(0)
          const next = yield* startWriter()
          yield* publish("e", 10)
          yield* until("everything there again", isRight)
          yield* quiet
          expect(yield* expected.differences()).toEqual([])
          expect(yield* metricOf(next, "tidemark_rows_repaired_total")).toBe(400)
        }),
      { timeout: 120_000 },
    )
  },
)
