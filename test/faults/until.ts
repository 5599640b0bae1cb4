import { Effect, Schedule } from "effect"

/** Looks again and again until the condition holds; dies after so many seconds, saying what never came. */
export const until = <E, R>(what: string, condition: Effect.Effect<boolean, E, R>, seconds = 30) =>
  condition.pipe(
    Effect.repeat({ until: (holds) => holds, schedule: Schedule.spaced("50 millis") }),
    Effect.timeoutOrElse({
      duration: seconds * 1000,
      orElse: () => Effect.die(new Error(`${what}: not within ${seconds} s`)),
    }),
    Effect.asVoid,
  )
