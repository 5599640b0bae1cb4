import { Effect, Option, Schema } from "effect"
import { unlessConflict } from "#nats/conflict.ts"
import { attemptNats, Nats, NatsError } from "#nats/connection.ts"

/** What a bucket holds under a key, and the revision that a change of it must name. */
export interface Entry {
  readonly text: string
  readonly revision: number
}

export const readEntry = Effect.fn("readEntry")(function* (
  bucket: string,
  key: string,
): Effect.fn.Return<Entry | undefined, NatsError, Nats> {
  const { kv } = yield* Nats
  const entry = yield* attemptNats(`read bucket ${bucket}`, async () => (await kv.open(bucket)).get(key))
  return entry?.operation === "PUT" ? { text: entry.string(), revision: entry.revision } : undefined
})

/** Writes over that revision, or what was never there; false when another has written meanwhile. */
const replaceEntry = Effect.fn("replaceEntry")(function* (
  bucket: string,
  key: string,
  text: string,
  revision: number | undefined,
): Effect.fn.Return<boolean, NatsError, Nats> {
  const { kv } = yield* Nats
  return yield* attemptNats(`write bucket ${bucket}`, async () => {
    const entries = await kv.open(bucket)
    const written = await unlessConflict(
      revision === undefined ? entries.create(key, text) : entries.update(key, text, revision),
    )
    return written !== undefined
  })
})

const ATTEMPTS = 20

/**
 * Changes a record by compare-and-swap, so that of changes at once none is lost: each sees what the one before left.
 * Returns what the record was and what it is now; `change` is called anew for each attempt, and may fail.
 */
export const changeRecord = Effect.fn("changeRecord")(function* <A, E>(
  bucket: string,
  schema: Schema.Decoder<A>,
  key: string,
  change: (now: A | undefined) => Effect.Effect<A, E>,
): Effect.fn.Return<{ readonly before: A | undefined; readonly after: A }, E | NatsError, Nats> {
  const decode = Schema.decodeUnknownOption(Schema.fromJsonString(schema))
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const entry = yield* readEntry(bucket, key)
    const before = entry === undefined ? undefined : Option.getOrUndefined(decode(entry.text))
    // To write over what a newer version wrote would take away what it says.
    if (entry !== undefined && before === undefined)
      return yield* new NatsError({ operation: `change ${bucket}`, detail: "the record cannot be read" })
    const after = yield* change(before)
    if (yield* replaceEntry(bucket, key, JSON.stringify(after), entry?.revision)) return { before, after }
  }
  return yield* new NatsError({ operation: `change ${bucket}`, detail: "others change it all the time" })
})

/** Keys of a bucket that begin with a tenant's name and a dot. */
export const keysOf = Effect.fn("keysOf")(function* (
  bucket: string,
  tenant: string,
): Effect.fn.Return<ReadonlyArray<string>, NatsError, Nats> {
  const { manager } = yield* Nats
  const { state } = yield* attemptNats(`list bucket ${bucket}`, () =>
    manager.streams.info(`KV_${bucket}`, { subjects_filter: `$KV.${bucket}.${tenant}.*` }),
  )
  return Object.keys(state.subjects ?? {}).map((subject) => subject.slice(`$KV.${bucket}.`.length))
})
