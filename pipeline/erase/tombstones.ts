import { Effect, Schema } from "effect"
import { BUCKETS } from "#schemas/names.ts"
import { attemptNats, Nats, type NatsError } from "#nats/connection.ts"
import { type Concerned, isOf, type Person } from "./person.ts"

/** Says that a person's actions are to be in no table, whatever the streams still hold or bring. */
export const Tombstone = Schema.Struct({
  tenant: Schema.String,
  kind: Schema.Literals(["user", "candidate"]),
  id: Schema.String,
  at: Schema.String,
  by: Schema.String,
  /** `pending` until the command has deleted what there was; from then on a store that does not know of it was put back. */
  state: Schema.Literals(["pending", "done"]),
})
export type Tombstone = typeof Tombstone.Type

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Tombstone))

/** Ids hold characters that keys cannot. */
const keyOf = ({ tenant, kind, id }: Person): string =>
  `${tenant}.${kind}.${Buffer.from(id).toString("base64url")}`

const bucket = Effect.flatMap(Nats, ({ kv }) =>
  attemptNats("open bucket tombstones", () => kv.open(BUCKETS.tombstones)),
)

/** Every tombstone that there is. */
export const readTombstones = Effect.fn("readTombstones")(function* (): Effect.fn.Return<
  ReadonlyArray<Tombstone>,
  NatsError,
  Nats
> {
  const tombstones = yield* bucket
  return yield* attemptNats("read the tombstones", async () => {
    const found: Array<Tombstone> = []
    for await (const key of await tombstones.keys()) {
      const entry = await tombstones.get(key)
      if (entry?.operation === "PUT") found.push(decode(entry.string()))
    }
    return found
  })
})

export const writeTombstone = Effect.fn("writeTombstone")(function* (
  person: Person,
  by: string,
  state: Tombstone["state"],
): Effect.fn.Return<void, NatsError, Nats> {
  const tombstones = yield* bucket
  const tombstone: Tombstone = { ...person, at: new Date().toISOString(), by, state }
  yield* attemptNats("write a tombstone", () => tombstones.put(keyOf(person), JSON.stringify(tombstone)))
})

/** The tombstones that a writer knows, read at the beginning of each tenure. Plain: it is asked for every event. */
export class Tombstones {
  #byTenant = new Map<string, Record<Person["kind"], Set<string>>>()

  set(tombstones: ReadonlyArray<Person>): void {
    this.#byTenant = new Map()
    for (const { tenant, kind, id } of tombstones) {
      const known = this.#byTenant.get(tenant) ?? { user: new Set(), candidate: new Set() }
      known[kind].add(id)
      this.#byTenant.set(tenant, known)
    }
  }

  /** Whether an action is of somebody who was erased. */
  covers(tenant: string, data: Concerned): boolean {
    const known = this.#byTenant.get(tenant)
    if (known === undefined) return false
    const ids = [data.actor_id, data.impersonator_id, data.candidate_id]
    return ids.some(
      (id) =>
        id !== undefined &&
        ((known.user.has(id) && isOf("user", id, data)) ||
          (known.candidate.has(id) && isOf("candidate", id, data))),
    )
  }
}
