import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { Clock, Effect } from "effect"
import type { Nats, NatsError } from "#nats/connection.ts"
import { type Arrangement, readArrangement } from "#nats/partitions.ts"
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
  readonly arrangement: Spread
  /** The stream that takes the tenant's actions. */
  readonly stream: string
  /** Everything that another stream received up to here, by the broker's clock, is in what is read from now on. */
  readonly othersThrough: number
  readonly actions: StreamState | undefined
  readonly ledger: LedgerRecord | undefined
  readonly version: StoreVersion
}

type Spread = Pick<Arrangement, "partitions" | "changingTo">

/** Where a tenant's actions may lie that are not stored. */
interface Places {
  /** The stream that takes them. */
  readonly stream: string
  /** While the number of partitions changes, the one that took them before, and may hold some that wait. */
  readonly before: string | undefined
}

const placesOf = (tenant: string, { partitions = 1, changingTo = partitions }: Spread): Places => {
  const stream = actionStreamOf(tenant, changingTo)
  const before = actionStreamOf(tenant, partitions)
  return { stream, before: before === stream ? undefined : before }
}

const keyOf = ({ stream, before = "" }: Places): string => `${stream} ${before}`

/** How far a stream of actions is applied. */
const readApplied = Effect.fnUntraced(function* (stream: string, now: number) {
  const { state, ledger } = yield* Effect.all(
    { state: readStream(stream), ledger: readLedger(stream) },
    { concurrency: "unbounded" },
  )
  return { state, ledger, through: yield* appliedThrough(state, ledger?.committed ?? 0, now) }
})

const readDirectoryApplied = Effect.fnUntraced(function* (now: number) {
  const { state, progress } = yield* Effect.all(
    { state: readStream(STREAMS.directory), progress: readDirectoryProgress() },
    { concurrency: "unbounded" },
  )
  return yield* appliedThrough(state, progress.get(state?.created ?? "") ?? 0, now)
})

/** Asks how far the streams are applied, and then what the store is made of: all that is applied is in that version. */
const lookAt = Effect.fnUntraced(function* ({ stream, before }: Places) {
  const now = yield* Clock.currentTimeMillis
  const { arrangement, taking, left, directoryThrough } = yield* Effect.all(
    {
      arrangement: readArrangement,
      taking: readApplied(stream, now),
      left: before === undefined ? Effect.undefined : readApplied(before, now),
      directoryThrough: readDirectoryApplied(now),
    },
    { concurrency: "unbounded" },
  )
  return {
    now,
    dataThrough: Math.min(taking.through, left?.through ?? now, directoryThrough),
    arrangement,
    stream,
    othersThrough: Math.min(taking.state?.at ?? now, left?.through ?? Number.POSITIVE_INFINITY),
    actions: taking.state,
    ledger: taking.ledger,
    version: yield* readStoreVersion(),
  }
})

interface Known {
  /** As the last look found it. */
  arrangement: Spread
  readonly looks: Map<string, SharedLook<Moment, ClickHouseError | NatsError>>
}

const known = new WeakMap<ClickHouse["Service"], Known>()

/**
 * The moment at which a report begins: not before it was asked for, and shared by all of the same partition who ask at once. When
 * the number of partitions turns out to be another one than before, it is looked for once more in the right streams.
 */
export const readMoment = Effect.fn("readMoment")(function* (
  tenant: string,
): Effect.fn.Return<Moment, ClickHouseError | NatsError, ClickHouse | Nats> {
  const store = yield* ClickHouse
  const mine = known.get(store) ?? { arrangement: { partitions: 1, changingTo: undefined }, looks: new Map() }
  known.set(store, mine)
  for (;;) {
    const places = placesOf(tenant, mine.arrangement)
    const key = keyOf(places)
    const shared = mine.looks.get(key) ?? new SharedLook<Moment, ClickHouseError | NatsError>()
    mine.looks.set(key, shared)
    const moment = yield* shared.ask(lookAt(places))
    mine.arrangement = moment.arrangement
    if (keyOf(placesOf(tenant, moment.arrangement)) === key) return moment
  }
})
