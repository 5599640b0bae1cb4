import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { everyHour } from "./hourly.ts"

it.effect("once an hour, a minute after the full one", () =>
  Effect.gen(function* () {
    const at: Array<number> = []
    yield* Effect.forkChild(
      everyHour(
        Effect.clockWith((clock) => Effect.sync(() => at.push(clock.currentTimeMillisUnsafe() / 60_000))),
      ),
    )
    yield* TestClock.adjust("200 minutes")
    expect(at).toEqual([1, 61, 121, 181])
  }),
)
