import { Effect, Schema } from "effect"
import { BUCKETS } from "#schemas/names.ts"
import { attemptNats, Nats, type NatsError } from "#nats/connection.ts"
import { nextMessage } from "#nats/next-message.ts"
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

/**
 * Every tombstone that there is, as the bucket's leader has it: a copy may not know the last of them yet. Asked one by one, since
 * listing keys makes a consumer each time, which a cluster keeps for minutes.
 */
export const readTombstones = Effect.fn("readTombstones")(function* (): Effect.fn.Return<
  ReadonlyArray<Tombstone>,
  NatsError,
  Nats
> {
  const { manager } = yield* Nats
  const found: Array<Tombstone> = []
  for (let from = 1; ;) {
    const message = yield* attemptNats("read the tombstones", () =>
      nextMessage(manager, `KV_${BUCKETS.tombstones}`, from),
    )
    if (message === undefined) return found
    from = message.seq + 1
    // A key that was deleted leaves a message that says so.
    if (!message.header.has("KV-Operation")) found.push(decode(message.string()))
  }
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
