import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { Clock, Effect } from "effect"
import type { Nats, NatsError } from "#nats/connection.ts"
import type { LedgerRecord } from "#schemas/ledger.ts"
import { STREAMS } from "#schemas/names.ts"
import { appliedThrough, readLedger, readStream, type StreamState } from "./freshness.ts"
import { SharedLook } from "./shared-look.ts"
import { readDirectoryProgress } from "./standing.ts"
import { readStoreVersion, type StoreVersion } from "./store-version.ts"

/** What is the same for every report that begins at one moment. */
export interface Moment {
  readonly now: number
  /** Everything received up to here is in what is read from now on. */
  readonly dataThrough: number
  readonly actions: StreamState | undefined
  readonly ledger: LedgerRecord | undefined
  readonly version: StoreVersion
}

/** Asks how far the streams are applied, and then what the store is made of: all that is applied is in that version. */
const look = Effect.gen(function* () {
  const now = yield* Clock.currentTimeMillis
  const { actions, directory, ledger, progress } = yield* Effect.all(
    {
      actions: readStream(STREAMS.actions),
      directory: readStream(STREAMS.directory),
      ledger: readLedger(STREAMS.actions),
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
  return { now, dataThrough: Math.min(actionsThrough, directoryThrough), actions, ledger, version }
})

const looks = new WeakMap<ClickHouse["Service"], SharedLook<Moment, ClickHouseError | NatsError>>()

/** The moment at which a report begins: not before it was asked for, and shared by all who ask at once. */
export const readMoment = Effect.fn("readMoment")(function* (): Effect.fn.Return<
  Moment,
  ClickHouseError | NatsError,
  ClickHouse | Nats
> {
  const store = yield* ClickHouse
  const shared = looks.get(store) ?? new SharedLook<Moment, ClickHouseError | NatsError>()
  looks.set(store, shared)
  return yield* shared.ask(look)
})
