import { Effect, Schema } from "effect"
import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { BUCKETS, TABLES } from "#schemas/names.ts"
import { attemptNats, Nats, type NatsError } from "#nats/connection.ts"
import { isAtLeast } from "#nats/version.ts"
import { Writer } from "./context.ts"
import { noteQuality } from "./quality.ts"
import { readStoreState } from "./store-clock.ts"

/** The ledger lies where two writers could both believe that they own it. */
export class UnsafeLedger extends Schema.TaggedError<UnsafeLedger>()("UnsafeLedger", {
  replicas: Schema.Int,
  version: Schema.String,
}) {
  override get message(): string {
    return `the ledger has ${this.replicas} replicas on nats-server ${this.version}, which lets more than one writer succeed with the same revision. Upgrade to ${SAFE.join(".")} or newer, or set NATS_REPLICAS=1.`
  }
}

/** The number of partitions is another one than this process was started with. */
export class OtherPartitions extends Schema.TaggedError<OtherPartitions>()("OtherPartitions", {
  partitions: Schema.Int,
  mine: Schema.Int,
}) {
  override get message(): string {
    return this.partitions === 0
      ? "the number of partitions is being changed, or that was broken off: a writer ends it when it starts"
      : `the number of partitions is ${this.partitions}, and this process was started with ${this.mine}. Set TIDEMARK_PARTITIONS=${this.partitions} and start it again.`
  }
}

/** Before it, a replicated stream's expected sequence was seen to let several writers pass. */
const SAFE = [2, 10, 27] as const

/** True for a server that keeps compare-and-swap on a replicated stream. */
export const isSafeForReplicas = (version: string): boolean => isAtLeast(version, SAFE)

/** Refuses a replicated ledger on a server that does not keep its word. */
export const checkLedgerServer: Effect.Effect<void, UnsafeLedger | NatsError, Nats> = Effect.gen(
  function* () {
    const { connection, manager } = yield* Nats
    const { config } = yield* attemptNats("look at the ledger", () =>
      manager.streams.info(`KV_${BUCKETS.ledger}`),
    )
    const version = connection.info?.version ?? "0"
    if (config.num_replicas > 1 && !isSafeForReplicas(version))
      return yield* new UnsafeLedger({ replicas: config.num_replicas, version })
  },
)

/** The store's newest generation of the stream, 0 when it holds none of it. */
export const newestGeneration = Effect.fn("newestGeneration")(function* (
  stream: string,
): Effect.fn.Return<number, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  const rows = yield* store.query<{ generation: number }>(
    `SELECT max(generation) AS generation FROM ${TABLES.actions} WHERE stream = {stream:String}`,
    { params: { stream } },
  )
  return rows[0]?.generation ?? 0
})

const STANDBY = 500
const WAIT = 50

/** A first ledger, or one in place of a lost one: then everything that the stream still holds is doubtful. */
const createRecord = Effect.gen(function* () {
  const { ledger, options, owner } = yield* Writer
  const { manager } = yield* Nats
  const { stream, partitions, duplicateWindow, maxClockAhead, lease } = options
  const known = yield* newestGeneration(stream)
  // A lost ledger may have had an owner, whose last insert may begin for as long as a lease lasts.
  if (known > 0) yield* Effect.sleep(lease)
  const info = yield* attemptNats("look at the stream", () => manager.streams.info(stream))
  const { now } = yield* readStoreState
  const created = yield* ledger.create({
    generation: known + 1,
    stream,
    created: info.created,
    committed: Math.max(0, info.state.first_seq - 1),
    committed_id: "",
    committed_at: 0,
    horizon: known === 0 ? Math.max(0, info.state.first_seq - 1) : info.state.last_seq,
    look_up_all_until: known === 0 ? 0 : now + duplicateWindow + maxClockAhead,
    duplicate_window: duplicateWindow,
    max_clock_ahead: maxClockAhead,
    ...(partitions === undefined ? {} : { partitions }),
    owner,
    epoch: 1,
    lease_until: now + lease,
  })
  if (created && known > 0)
    yield* noteQuality({
      stream,
      kind: "new_generation",
      generation: known + 1,
      fromSeq: info.state.first_seq,
      toSeq: info.state.last_seq,
      detail: "the ledger was lost; everything that the stream holds is proved against the store",
    })
  return created
})

/**
 * Returns when this writer owns the partition. Another owner's lease is waited for until it is over by the store's
 * clock, which is the deadline of its last insert too; one that renews it keeps the partition. So does a barrier that
 * somebody else holds.
 */
export const claim: Effect.Effect<
  void,
  ClickHouseError | NatsError | OtherPartitions,
  Writer | ClickHouse | Nats
> = Effect.gen(function* () {
  const { ledger, options, owner, turn } = yield* Writer
  for (;;) {
    if (!turn.mayTake()) {
      yield* Effect.sleep(WAIT)
      continue
    }
    const record = yield* ledger.read
    if (record === undefined) {
      if (yield* createRecord) return
      continue
    }
    const { partitions: mine } = options
    const { partitions = 1 } = record
    if (mine !== undefined && mine !== partitions) return yield* new OtherPartitions({ partitions, mine })
    const { now } = yield* readStoreState
    const { barrier, ...rest } = record
    const isReserved = barrier !== undefined && barrier.holder !== owner && barrier.until >= now
    const left = record.lease_until - now
    if (left >= 0 || isReserved) {
      yield* Effect.sleep(isReserved ? STANDBY : Math.min(left + 10, STANDBY))
      continue
    }
    const mineNow = {
      ...rest,
      ...(barrier?.holder === owner ? { barrier } : {}),
      owner,
      epoch: record.epoch + 1,
      lease_until: now + options.lease,
    }
    const taken = yield* ledger.take(mineNow, record)
    if (taken) return
  }
})
