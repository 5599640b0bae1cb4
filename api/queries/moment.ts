import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { Clock, Effect } from "effect"
import type { Nats, NatsError } from "#nats/connection.ts"
import { partitionsInForce } from "#nats/partitions.ts"
import type { LedgerRecord } from "#schemas/ledger.ts"
import { STREAMS } from "#schemas/names.ts"
import { actionStreamOf } from "#schemas/partitions.ts"
import { appliedThrough, readLedger, readStream, type StreamState } from "./freshness.ts"
import { SharedLook } from "./shared-look.ts"
import { readDirectoryProgress } from "./standing.ts"
import { readStoreVersion, type StoreVersion } from "./store-version.ts"

/** What is the same for every report of a partition's tenants that begins at one moment. */
export interface Moment {
  readonly now: number
  /** Everything received up to here is in what is read from now on. */
  readonly dataThrough: number
  /** The number of partitions in force. */
  readonly partitions: number
  /** The stream of the tenant's actions. */
  readonly stream: string
  readonly actions: StreamState | undefined
  readonly ledger: LedgerRecord | undefined
  readonly version: StoreVersion
}

/** Asks how far the streams are applied, and then what the store is made of: all that is applied is in that version. */
const lookAt = Effect.fnUntraced(function* (stream: string) {
  const now = yield* Clock.currentTimeMillis
  const { partitions, actions, directory, ledger, progress } = yield* Effect.all(
    {
      partitions: partitionsInForce,
      actions: readStream(stream),
      directory: readStream(STREAMS.directory),
      ledger: readLedger(stream),
      progress: readDirectoryProgress(),
    },
    { concurrency: "unbounded" },
  )
  const { actionsThrough, directoryThrough, version } = yield* Effect.all(
    {
      actionsThrough: appliedThrough(actions, ledger?.committed ?? 0, now),
      directoryThrough: appliedThrough(directory, progress.get(directory?.created ?? "") ?? 0, now),
      version: readStoreVersion(),
    },
    { concurrency: "unbounded" },
  )
  const dataThrough = Math.min(actionsThrough, directoryThrough)
  return { now, dataThrough, partitions, stream, actions, ledger, version }
})

interface Known {
  /** As the last look found them. */
  partitions: number
  readonly looks: Map<string, SharedLook<Moment, ClickHouseError | NatsError>>
}

const known = new WeakMap<ClickHouse["Service"], Known>()

/**
 * The moment at which a report begins: not before it was asked for, and shared by all of the same partition who ask at once. When
 * the number of partitions turns out to be another one than before, it is looked for once more in the right stream.
 */
export const readMoment = Effect.fn("readMoment")(function* (
  tenant: string,
): Effect.fn.Return<Moment, ClickHouseError | NatsError, ClickHouse | Nats> {
  const store = yield* ClickHouse
  const mine = known.get(store) ?? { partitions: 1, looks: new Map() }
  known.set(store, mine)
  for (;;) {
    const stream = actionStreamOf(tenant, mine.partitions)
    const shared = mine.looks.get(stream) ?? new SharedLook<Moment, ClickHouseError | NatsError>()
    mine.looks.set(stream, shared)
    const moment = yield* shared.ask(lookAt(stream))
    mine.partitions = moment.partitions
    if (actionStreamOf(tenant, moment.partitions) === stream) return moment
  }
})
