import { Effect, Schedule } from "effect"

/** Whether there is a process of this id, a zombie aside. */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"
  }
}

/** Looks again and again until the condition holds; dies after the deadline. */
export const eventually = (condition: () => boolean | Promise<boolean>, seconds = 10) =>
  Effect.promise(async () => condition()).pipe(
    Effect.filterOrFail((holds) => holds),
    Effect.retry(Schedule.spaced("50 millis").pipe(Schedule.upTo({ times: seconds * 20 }))),
    Effect.orDie,
    Effect.asVoid,
  )
