import { Clock, Effect } from "effect"
import type { Nats, NatsError } from "#nats/connection.ts"
import { BUCKETS } from "#schemas/names.ts"
import { changeRecord, keysOf } from "./bucket.ts"
import { KeyRecord } from "./credential.ts"
import { type FoundKey, idAt, readKey } from "./keys.ts"

const AT_ONCE = 16

/** A tenant's keys, revoked and expired ones too; the oldest first. */
export const listKeys = Effect.fn("listKeys")(function* (
  tenant: string,
): Effect.fn.Return<ReadonlyArray<FoundKey>, NatsError, Nats> {
  const places = yield* keysOf(BUCKETS.apiKeys, tenant)
  const found = yield* Effect.forEach(
    places,
    (place) => Effect.map(readKey(place), (record) => ({ id: idAt(place), record })),
    { concurrency: AT_ONCE },
  )
  return found
    .flatMap(({ id, record }) => (record === undefined ? [] : [{ id, record }]))
    .toSorted((one, other) => (one.record.created_at + one.id < other.record.created_at + other.id ? -1 : 1))
})

const placeOfKey = Effect.fn("placeOfKey")(function* (tenant: string, id: string) {
  return (yield* keysOf(BUCKETS.apiKeys, tenant)).find((place) => idAt(place) === id)
})

/** A key of the tenant by its id; one of another tenant is none. */
export const keyById = Effect.fn("keyById")(function* (
  tenant: string,
  id: string,
): Effect.fn.Return<FoundKey | undefined, NatsError, Nats> {
  const place = yield* placeOfKey(tenant, id)
  const record = place === undefined ? undefined : yield* readKey(place)
  return record === undefined ? undefined : { id, record }
})

/** Takes a key out of force, for ever; false when the tenant has no such key. Doing it again changes nothing. */
export const revokeKey = Effect.fn("revokeKey")(function* (
  tenant: string,
  id: string,
  by: string,
): Effect.fn.Return<boolean, NatsError, Nats> {
  const place = yield* placeOfKey(tenant, id)
  if (place === undefined || (yield* readKey(place)) === undefined) return false
  const now = new Date(yield* Clock.currentTimeMillis).toISOString()
  yield* changeRecord(BUCKETS.apiKeys, KeyRecord, place, (record) =>
    Effect.succeed(
      // It was there a moment ago, and no record is ever taken away.
      { revoked_at: now, revoked_by: by, ...(record as KeyRecord) },
    ),
  )
  return true
})
