import { Effect, Schedule } from "effect"
import type { Child } from "../engines/child.ts"
import { biUsersText, readRendered } from "./users-file.ts"

/** How soon a change is seen. */
const LOOK = "250 millis"
/** For so long a server may take to end by itself. */
const PATIENCE = "8 seconds"

/**
 * Ends an embedded server when the file of BI users changes from what it started with: it reads its users at its start
 * alone, and whoever supervises it starts it again. What was under way then is the writer's doubt, as after any end.
 */
export const endWhenUsersChange = (child: Child, dataDir: string, known: string) =>
  Effect.sync(() => biUsersText(dataDir)).pipe(
    Effect.repeat({ until: (text) => text !== known, schedule: Schedule.spaced(LOOK) }),
    Effect.andThen(Effect.logInfo("BI users have changed; ClickHouse starts again to read them")),
    Effect.andThen(Effect.sync(() => child.process.kill("SIGTERM"))),
    Effect.andThen(Effect.sleep(PATIENCE)),
    Effect.andThen(Effect.sync(() => child.process.kill("SIGKILL"))),
  )

/** Whether a server answers there. */
export const answers = (url: string) =>
  Effect.promise(async () => {
    try {
      return (await fetch(`${url}/ping`, { signal: AbortSignal.timeout(5000) })).ok
    } catch {
      return false
    }
  })

/**
 * Whether a server has started with these users, within half a minute. It renders them when the one before it is gone,
 * so what answers from then on knows them.
 */
export const startsWith = (url: string, dataDir: string, rendered: string) =>
  Effect.suspend(() => (readRendered(dataDir) === rendered ? answers(url) : Effect.succeed(false))).pipe(
    Effect.repeat({
      until: (started) => started,
      schedule: Schedule.spaced("100 millis").pipe(Schedule.upTo({ times: 300 })),
    }),
  )
