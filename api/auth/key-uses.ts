import { Clock, Effect } from "effect"
import { attemptNats, Nats, type NatsError } from "#nats/connection.ts"
import { BUCKETS } from "#schemas/names.ts"
import { readEntry } from "./bucket.ts"

/** The last use is known to the minute. */
const MINUTE = 60_000
const MAX_NOTED = 10_000

const placeOf = (tenant: string, id: string): string => `${tenant}.${id}`

/** Notes that a key is used, once a minute at most, and lets nobody wait for it. */
export const usesNoter = (): ((tenant: string, id: string) => Effect.Effect<void, never, Nats>) => {
  const noted = new Map<string, number>()
  return Effect.fn("noteUse")(function* (tenant, id) {
    const now = yield* Clock.currentTimeMillis
    const place = placeOf(tenant, id)
    if (now - (noted.get(place) ?? -MINUTE) < MINUTE) return
    if (noted.size >= MAX_NOTED) noted.clear()
    noted.set(place, now)
    const { kv } = yield* Nats
    yield* attemptNats("note the use of a key", async () =>
      (await kv.open(BUCKETS.keyUses)).put(place, new Date(now).toISOString()),
    ).pipe(
      // The next use notes it again.
      Effect.catch((error) =>
        Effect.andThen(
          Effect.logWarning(error.message),
          Effect.sync(() => noted.delete(place)),
        ),
      ),
      Effect.forkDetach,
    )
  })
}

/** When a key was used last, to the minute; undefined when never. */
export const lastUse = Effect.fn("lastUse")(function* (
  tenant: string,
  id: string,
): Effect.fn.Return<string | undefined, NatsError, Nats> {
  return (yield* readEntry(BUCKETS.keyUses, placeOf(tenant, id)))?.text
})
