import { Effect } from "effect"
import { attemptNats, Nats, type NatsError } from "#nats/connection.ts"
import { BUCKETS } from "#schemas/names.ts"

/** Moves keys that version 0.1.0 stored under their hash alone to where their tenant's are. */
export const adoptKeys = Effect.fn("adoptKeys")(function* (): Effect.fn.Return<number, NatsError, Nats> {
  const { kv, manager } = yield* Nats
  return yield* attemptNats("move the keys of version 0.1.0", async () => {
    const keys = await kv.open(BUCKETS.apiKeys)
    const prefix = `$KV.${BUCKETS.apiKeys}.`
    const { state } = await manager.streams.info(`KV_${BUCKETS.apiKeys}`, { subjects_filter: `${prefix}*` })
    let moved = 0
    for (const subject of Object.keys(state.subjects ?? {})) {
      const hash = subject.slice(prefix.length)
      const entry = await keys.get(hash)
      if (entry?.operation !== "PUT") continue
      const { tenant } = entry.json<{ readonly tenant: string }>()
      // Of several that move it at once each writes the same.
      await keys.put(`${tenant}.${hash}`, entry.string())
      await keys.delete(hash)
      moved++
    }
    return moved
  })
})
