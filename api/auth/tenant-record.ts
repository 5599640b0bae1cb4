import { Clock, Effect, Option, Schema } from "effect"
import type { Nats, NatsError } from "#nats/connection.ts"
import { readEntry } from "./bucket.ts"

/** A change may take so long to be seen. */
const REMEMBERED = 2000
const MAX_REMEMBERED = 10_000

/**
 * Reads records of a bucket, one JSON document a key, and remembers each for a moment. A key without a record reads as
 * `absent`, one whose record cannot be read (another version wrote it, say) as `unreadable`, which must give nobody
 * anything.
 */
export const recordReader = <A>(
  bucket: string,
  schema: Schema.Decoder<A>,
  absent: A,
  unreadable: A,
): ((key: string) => Effect.Effect<A, NatsError, Nats>) => {
  const decode = Schema.decodeUnknownOption(Schema.fromJsonString(schema))
  const remembered = new Map<string, { readonly value: A; readonly until: number }>()
  return Effect.fn("readRecord")(function* (key) {
    const now = yield* Clock.currentTimeMillis
    const known = remembered.get(key)
    if (known !== undefined && known.until > now) return known.value
    const entry = yield* readEntry(bucket, key)
    const decoded = entry === undefined ? Option.some(absent) : decode(entry.text)
    if (Option.isNone(decoded))
      yield* Effect.logError(
        `the record of ${key} in bucket ${bucket} cannot be read; nothing is given by it`,
      )
    const value = Option.getOrElse(decoded, () => unreadable)
    if (remembered.size >= MAX_REMEMBERED) remembered.clear()
    remembered.set(key, { value, until: now + REMEMBERED })
    return value
  })
}
