import { Effect } from "effect"
import type { ClickHouse, ClickHouseError } from "#clickhouse"
import type { Nats, NatsError } from "#nats/connection.ts"
import { Writer } from "../writer/context.ts"
import type { LeaseLost } from "../writer/ledger.ts"
import { isRecorded, recordErasure } from "./record.ts"
import { eraseRows } from "./rows.ts"
import { readTombstones } from "./tombstones.ts"

/** Reads who was erased: before anything is proved or written in a tenure. */
export const learnTombstones = Effect.gen(function* () {
  const { tombstones } = yield* Writer
  tombstones.set(yield* readTombstones())
})

/** A command that has not ended its erasure by then, in milliseconds, will not. */
const ABANDONED = 600_000

/** Carries out erasures that the store knows nothing of, as it was put back from a copy that is older than they are. */
export const reapplyErasures = Effect.fn("reapplyErasures")(function* (): Effect.fn.Return<
  void,
  ClickHouseError | NatsError | LeaseLost,
  Writer | ClickHouse | Nats
> {
  const now = Date.now()
  const { isOwn } = yield* Writer
  const people = (yield* readTombstones()).filter(
    // Another partition's tenants are another owner's.
    ({ tenant, state, at }) => isOwn(tenant) && (state === "done" || now - Date.parse(at) > ABANDONED),
  )
  if (people.length === 0) return
  const known = yield* isRecorded(people)
  for (const person of people.filter((one) => !known(one))) {
    const { events, keys } = yield* eraseRows(person)
    yield* Effect.logWarning("the store did not know of an erasure; it is carried out again").pipe(
      Effect.annotateLogs({ tenant: person.tenant, kind: person.kind, events }),
    )
    yield* recordErasure(person, {
      mode: "delete",
      by: "writer",
      events,
      rollup_keys: keys,
      messages: 0,
      dead_letters: 0,
      exports: 0,
    })
  }
})
