import { isDeepStrictEqual } from "node:util"
import { Effect, Schema, Semaphore } from "effect"
import { BUCKETS } from "#schemas/names.ts"
import { type Barrier, LedgerRecord } from "#schemas/ledger.ts"
import { attemptNats, Nats, type NatsError } from "#nats/connection.ts"

/** Somebody else owns the partition now; this writer must not write any more. */
export class LeaseLost extends Schema.TaggedError<LeaseLost>()("LeaseLost", {
  stream: Schema.String,
  owner: Schema.String,
}) {
  override get message(): string {
    return `the lease of ${this.stream} belongs to ${this.owner}`
  }
}

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(LedgerRecord))

interface Entry {
  readonly record: LedgerRecord
  readonly revision: number
}

type Change = (record: LedgerRecord) => LedgerRecord

/** The ledger of one stream: the one place that says how far the store is known to be right. */
export interface Ledger {
  /** As last read or written, while it is this writer's own; nothing may be done under the record of another. */
  readonly current: () => LedgerRecord | undefined
  /** Reads it again; undefined when nobody ever wrote one. */
  readonly read: Effect.Effect<LedgerRecord | undefined, NatsError>
  /** What stands there, without taking it for what was last read. */
  readonly peek: Effect.Effect<LedgerRecord | undefined, NatsError>
  /** Creates the record; false when somebody else was faster. */
  readonly create: (record: LedgerRecord) => Effect.Effect<boolean, NatsError>
  /**
   * Writes without looking who owns it: only to take an expired lease, as it stood in the record that was read last. False when
   * it changed since, for whoever does.
   */
  readonly take: (record: LedgerRecord, read: LedgerRecord) => Effect.Effect<boolean, NatsError>
  /**
   * Asks whoever owns the partition to give it back, and keeps others from taking it. `now` is the store's. The other's
   * barrier when there is one that holds, undefined when it is ours now.
   */
  readonly reserve: (barrier: Barrier, now: number) => Effect.Effect<Barrier | undefined, NatsError>
  /** Takes a holder's barrier away, whoever owns the partition. */
  readonly withdraw: (holder: string) => Effect.Effect<void, NatsError>
  /** Compare-and-swap of the owner's own record. One at a time, so that changes do not fight each other. */
  readonly change: (change: Change) => Effect.Effect<LedgerRecord, NatsError | LeaseLost>
}

export const openLedger = Effect.fn("openLedger")(function* (stream: string, owner: string) {
  const { kv } = yield* Nats
  const bucket = yield* attemptNats("open bucket ledger", () => kv.open(BUCKETS.ledger))
  const oneAtATime = yield* Semaphore.make(1)
  let entry: Entry | undefined
  /** Of the last tenure that began here. */
  let epoch: number | undefined

  const own = (): Entry | undefined =>
    entry?.record.owner === owner && entry.record.epoch === epoch ? entry : undefined

  const look = attemptNats("read the ledger", async (): Promise<Entry | undefined> => {
    const found = await bucket.get(stream)
    return found === null || found.operation !== "PUT"
      ? undefined
      : { record: decode(found.string()), revision: found.revision }
  })

  const fetch = Effect.tap(look, (found) => Effect.sync(() => (entry = found)))

  /** The write itself. The broker refuses it when the revision has moved; then nothing was written. */
  const swap = (record: LedgerRecord, revision: number) =>
    attemptNats("write the ledger", () => bucket.update(stream, JSON.stringify(record), revision)).pipe(
      Effect.map((next) => {
        entry = { record, revision: next }
        return true
      }),
    )

  /** After a failed write: was it written all the same, its answer lost? */
  const wasWritten = (record: LedgerRecord) =>
    Effect.map(fetch, (found) => isDeepStrictEqual(found?.record, record))

  const attempt = (record: LedgerRecord, revision: number) =>
    swap(record, revision).pipe(Effect.catch(() => wasWritten(record)))

  const change: Ledger["change"] = (apply) =>
    oneAtATime.withPermits(1)(
      Effect.gen(function* () {
        for (;;) {
          const from = own()
          if (from === undefined)
            return yield* new LeaseLost({ stream, owner: entry?.record.owner ?? "nobody" })
          const next = apply(from.record)
          if (yield* attempt(next, from.revision)) return next
        }
      }),
    )

  /** A tenure begins with the record that was written for it. */
  const begin = <E>(record: LedgerRecord, write: Effect.Effect<boolean, E>) =>
    Effect.map(write, (written) => {
      if (written) epoch = record.epoch
      return written
    })

  const reserve: Ledger["reserve"] = Effect.fnUntraced(function* (barrier, now) {
    for (;;) {
      const found = yield* fetch
      // Nothing to take it from.
      if (found === undefined) return undefined
      const { barrier: other } = found.record
      if (other !== undefined && other.holder !== barrier.holder && other.until >= now) return other
      if (yield* attempt({ ...found.record, barrier }, found.revision)) return undefined
    }
  })

  const withdraw: Ledger["withdraw"] = Effect.fnUntraced(function* (holder) {
    for (;;) {
      const found = yield* fetch
      if (found?.record.barrier?.holder !== holder) return
      const { barrier: _, ...rest } = found.record
      if (yield* attempt(rest, found.revision)) return
    }
  })

  const create: Ledger["create"] = (record) =>
    attemptNats("create the ledger", () => bucket.create(stream, JSON.stringify(record))).pipe(
      Effect.map((revision) => {
        entry = { record, revision }
        return true
      }),
      Effect.catch(() => wasWritten(record)),
    )

  return {
    current: () => own()?.record,
    read: Effect.map(fetch, (found) => found?.record),
    peek: Effect.map(look, (found) => found?.record),
    create: (record) => begin(record, create(record)),
    take: (record, read) =>
      Effect.suspend(() =>
        // Whoever renews a barrier meanwhile reads it, too.
        entry?.record === read ? begin(record, attempt(record, entry.revision)) : Effect.succeed(false),
      ),
    reserve,
    withdraw,
    change,
  } satisfies Ledger
})
