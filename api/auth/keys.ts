import { randomBytes } from "node:crypto"
import { Clock, Effect, Option, Schema } from "effect"
import { attemptNats, Nats, type NatsError } from "#nats/connection.ts"
import { BUCKETS } from "#schemas/names.ts"
import { readEntry } from "./bucket.ts"
import { KeyRecord, type Role, sha256 } from "./credential.ts"

const KEY = /^tmk_([a-z0-9-]{1,63})_[A-Za-z0-9_-]{43}$/u

export interface NewKey {
  readonly tenant: string
  readonly role: Role
  readonly user?: string
  readonly name?: string
  /** RFC 3339. */
  readonly expires_at?: string
  /** Who made it: the id of a credential. */
  readonly created_by?: string
}

export interface FoundKey {
  readonly id: string
  readonly record: KeyRecord
}

/** Names a key without being it: the beginning of the hash of 256 random bits tells nothing. */
const keyId = (hash: string): string => `k_${hash.slice(0, 20)}`

/** Where a key's record is, so that a tenant's keys can be listed. */
const placeOf = (tenant: string, hash: string): string => `${tenant}.${hash}`

/** The id of the key whose record is there. */
export const idAt = (place: string): string => keyId(place.slice(place.indexOf(".") + 1))

/** Makes a key and stores its hash. The secret is returned this once and can never be read again. */
export const issueKey = Effect.fn("issueKey")(function* (
  wanted: NewKey,
): Effect.fn.Return<FoundKey & { readonly secret: string }, NatsError, Nats> {
  const { kv } = yield* Nats
  const secret = `tmk_${wanted.tenant}_${randomBytes(32).toString("base64url")}`
  const hash = sha256(secret).toString("hex")
  const record: KeyRecord = {
    ...wanted,
    created_at: new Date(yield* Clock.currentTimeMillis).toISOString(),
  }
  yield* attemptNats("store the key", async () =>
    (await kv.open(BUCKETS.apiKeys)).create(placeOf(wanted.tenant, hash), JSON.stringify(record)),
  )
  return { secret, id: keyId(hash), record }
})

export const createKey = (wanted: NewKey): Effect.Effect<string, NatsError, Nats> =>
  Effect.map(issueKey(wanted), ({ secret }) => secret)

const decodeRecord = Schema.decodeUnknownOption(Schema.fromJsonString(KeyRecord))

/** The record that is there, of a key that is still in force or not. */
export const readKey = Effect.fn("readKey")(function* (
  place: string,
): Effect.fn.Return<KeyRecord | undefined, NatsError, Nats> {
  const entry = yield* readEntry(BUCKETS.apiKeys, place)
  const record = entry === undefined ? undefined : Option.getOrUndefined(decodeRecord(entry.text))
  return record !== undefined && place.startsWith(`${record.tenant}.`) ? record : undefined
})

/** A key that was revoked may be honoured for so long. */
const REMEMBERED = 2000
const MAX_REMEMBERED = 10_000

/** Finds a key that was not revoked; remembers it for a moment, and never that there is none. */
export const keyFinder = (): ((key: string) => Effect.Effect<FoundKey | undefined, NatsError, Nats>) => {
  const remembered = new Map<string, { readonly record: KeyRecord; readonly until: number }>()
  return Effect.fn("findKey")(function* (key) {
    const tenant = KEY.exec(key)?.[1]
    if (tenant === undefined) return undefined
    const hash = sha256(key).toString("hex")
    const now = yield* Clock.currentTimeMillis
    const known = remembered.get(hash)
    if (known !== undefined && known.until > now) return { id: keyId(hash), record: known.record }
    const record = yield* readKey(placeOf(tenant, hash))
    if (record === undefined || record.revoked_at !== undefined) {
      remembered.delete(hash)
      return undefined
    }
    if (remembered.size >= MAX_REMEMBERED) remembered.clear()
    remembered.set(hash, { record, until: now + REMEMBERED })
    return { id: keyId(hash), record }
  })
}
