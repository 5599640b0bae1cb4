import { randomBytes } from "node:crypto"
import { Clock, Effect, Option, Schema } from "effect"
import { attemptNats, Nats, type NatsError } from "#nats/connection.ts"
import { BUCKETS } from "#schemas/names.ts"
import { KeyRecord, type Role, sha256 } from "./credential.ts"

const KEY = /^tmk_[a-z0-9-]{1,63}_[A-Za-z0-9_-]{43}$/u

const bucket = Effect.gen(function* () {
  const { kv } = yield* Nats
  return yield* attemptNats(`open bucket ${BUCKETS.apiKeys}`, () => kv.open(BUCKETS.apiKeys))
})

export interface NewKey {
  readonly tenant: string
  readonly role: Role
  readonly user?: string
  readonly name?: string
}

/** Makes a key and stores its hash. The key is returned this once and can never be read again. */
export const createKey = Effect.fn("createKey")(function* ({
  tenant,
  role,
  user,
  name,
}: NewKey): Effect.fn.Return<string, NatsError, Nats> {
  const keys = yield* bucket
  const key = `tmk_${tenant}_${randomBytes(32).toString("base64url")}`
  const record: KeyRecord = {
    tenant,
    role,
    ...(user === undefined ? {} : { user }),
    ...(name === undefined ? {} : { name }),
    created_at: new Date(yield* Clock.currentTimeMillis).toISOString(),
  }
  yield* attemptNats("store the key", () => keys.create(sha256(key).toString("hex"), JSON.stringify(record)))
  return key
})

const readRecord = Schema.decodeUnknownOption(Schema.fromJsonString(KeyRecord))

const lookUp = Effect.fn("lookUpKey")(function* (
  hash: string,
): Effect.fn.Return<KeyRecord | undefined, NatsError, Nats> {
  const keys = yield* bucket
  const entry = yield* attemptNats("look up a key", () => keys.get(hash))
  return entry?.operation === "PUT" ? Option.getOrUndefined(readRecord(entry.string())) : undefined
})

/** Names a key without being it: the beginning of the hash of 256 random bits tells nothing. */
const keyId = (hash: string): string => `k_${hash.slice(0, 20)}`

export interface FoundKey {
  readonly id: string
  readonly record: KeyRecord
}

/** A key that was deleted may be honoured for so long. */
const REMEMBERED = 2000
const MAX_REMEMBERED = 10_000

/** Finds the record of a key; remembers it for a moment, and never that there is none. */
export const keyFinder = (): ((key: string) => Effect.Effect<FoundKey | undefined, NatsError, Nats>) => {
  const remembered = new Map<string, { readonly record: KeyRecord; readonly until: number }>()
  return Effect.fn("findKey")(function* (key) {
    if (!KEY.test(key)) return undefined
    const hash = sha256(key).toString("hex")
    const now = yield* Clock.currentTimeMillis
    const known = remembered.get(hash)
    if (known !== undefined && known.until > now) return { id: keyId(hash), record: known.record }
    const record = yield* lookUp(hash)
    if (record === undefined) {
      remembered.delete(hash)
      return undefined
    }
    if (remembered.size >= MAX_REMEMBERED) remembered.clear()
    remembered.set(hash, { record, until: now + REMEMBERED })
    return { id: keyId(hash), record }
  })
}
