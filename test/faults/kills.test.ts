import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { kills } from "./kills.ts"

// Fixed, so that what fails fails again; `npm run test:faults` takes others, and more rounds.
const SEED = 20_261_122

it.live(
  "whatever is killed at whatever moment, every event is counted once in raw and in each rollup",
  () =>
    Effect.gen(function* () {
      const {
        kills: done,
        events,
        deadLetters,
        differences,
      } = yield* kills({
        rounds: 20,
        seed: SEED,
        rate: 1500,
        countEvery: 10,
        say: () => undefined,
      })
      expect(differences).toEqual([])
      expect(deadLetters.found).toBe(deadLetters.wanted)
      expect(done.writer + done.store + done.both).toBeGreaterThanOrEqual(20)
      expect(Math.min(done.writer, done.store, done.both)).toBeGreaterThan(0)
      expect(events).toBeGreaterThan(10_000)
    }),
  { timeout: 600_000 },
)
