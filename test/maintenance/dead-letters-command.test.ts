// Dead letters through the command line and HTTP, on a broker and a store of their own, with a writer behind them.
import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import { deadLetters } from "../faults/dead-letters.ts"
import { Traffic } from "../faults/traffic.ts"
import { World } from "../faults/world.ts"
import { tidemark } from "./command-line.ts"
import { rowsOf } from "./erasures.ts"

const DAY = 86_400_000

layer(Traffic.layer, { excludeTestServices: true, timeout: "120 seconds" })("dead letters", (it) => {
  it.effect(
    "are listed, shown, replayed after a fix, counted once however often, and discarded",
    () =>
      Effect.gen(function* () {
        const { make, send } = yield* Traffic
        const { startWriter, quiet } = yield* World
        yield* startWriter()
        // Ahead of the clock for now; right in two seconds, which is the fix.
        const [early] = make("a", 1, { time: Date.now() + 3000 })
        const [broken] = make("a", 1)
        const [other] = make("b", 1, { time: Date.now() + 30 * DAY })
        if (early === undefined || broken === undefined || other === undefined) throw new Error("no events")
        yield* send(early.message)
        yield* send({ ...broken.message, payload: Buffer.from('{"half') })
        yield* send(other.message)
        yield* quiet
        expect((yield* deadLetters).length).toBe(3)

        const listed = yield* tidemark(["dead-letters", "list", "--tenant", "a", "--json"])
        const lines = listed.out
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line))
        expect(lines).toMatchObject([
          { id: 1, tenant: "a", reason: "time_in_future", state: "open", stream: "ACTIONS", sequence: 1 },
          { id: 2, tenant: "a", reason: "invalid_json", state: "open" },
        ])
        const shown = yield* tidemark(["dead-letters", "show", "2"])
        expect(shown.out).toContain('{"half')
        expect(shown.out).toMatch(/obstacle +its id cannot be read; send the event anew/u)
        expect((yield* tidemark(["dead-letters", "show", "9"])).err).toContain("there is no dead letter 9")
        expect((yield* tidemark(["dead-letters", "replay"])).err).toContain("name ids, or a filter")

        yield* Effect.sleep("3 seconds")
        const replayed = yield* tidemark(["dead-letters", "replay", "1", "2"])
        expect(replayed.code).toBe(1)
        expect(replayed.out).toContain("1 dead letter replayed, 1 not.")
        expect(replayed.err).toContain("dead letter 2 cannot be replayed")
        yield* quiet
        expect(yield* rowsOf("a")).toBe(1)
        const again = yield* tidemark(["dead-letters", "replay", "1"])
        expect(again.out).toContain("1 dead letter replayed.")
        yield* quiet
        expect(yield* rowsOf("a")).toBe(1)

        expect((yield* tidemark(["dead-letters", "discard", "--tenant", "a"])).out).toContain(
          "1 dead letter discarded.",
        )
        expect((yield* tidemark(["dead-letters", "list", "--tenant", "a"])).out).toContain("There are none.")
        const all = yield* tidemark(["dead-letters", "list", "--all", "--json"])
        expect(
          all.out
            .trim()
            .split("\n")
            .map((line) => JSON.parse(line).state),
        ).toEqual(["replayed", "discarded", "open"])
        // The proof that nothing was lost stays.
        expect((yield* deadLetters).length).toBe(3)
        const proof = yield* tidemark(["audit", "--all", "--json"])
        expect([proof.code, JSON.parse(proof.out).differences]).toEqual([0, 0])
      }),
    { timeout: 120_000 },
  )
})
