import { Effect } from "effect"
import { JetStreamApiError } from "@nats-io/jetstream"
import { ClickHouse, type ClickHouseError } from "#clickhouse"
import type { LedgerRecord } from "#schemas/ledger.ts"
import { TABLES } from "#schemas/names.ts"
import { attemptNats, Nats, type NatsError } from "#nats/connection.ts"
import { newestGeneration } from "./claim.ts"
import { Writer } from "./context.ts"
import type { LeaseLost } from "./ledger.ts"
import { noteQuality, scopeOfStored } from "./quality.ts"
import { readRange } from "./read-range.ts"
import { prove } from "./prove.ts"
import { repairRollups } from "./rollups.ts"
import { judgeAll, ownRecord } from "./settle.ts"

type Failure = ClickHouseError | NatsError | LeaseLost

/** Message id and receive time at a sequence; undefined when the stream does not hold it any more. */
const messageAt = Effect.fnUntraced(function* (stream: string, seq: number) {
  const { manager } = yield* Nats
  if (seq < 1) return undefined
  return yield* attemptNats("read the committed message", async () => {
    try {
      const message = await manager.streams.getMessage(stream, { seq })
      return message === null
        ? undefined
        : { id: message.header.get("Nats-Msg-Id"), receivedAt: message.time.getTime() }
    } catch (error) {
      // 10037: no message found; it expired or was deleted.
      if (error instanceof JetStreamApiError && error.code === 10037) return undefined
      throw error
    }
  })
})

/** The highest sequence of the generation that raw holds beyond a sequence; 0 when there is none. */
const storedBeyond = Effect.fnUntraced(function* (record: LedgerRecord, seq: number) {
  const store = yield* ClickHouse
  const rows = yield* store.query<{ seq: number }>(
    `SELECT max(stream_seq) AS seq FROM ${TABLES.actions}
     WHERE stream = {stream:String} AND generation = {generation:UInt32} AND stream_seq > {seq:UInt64}`,
    { params: { stream: record.stream, generation: record.generation, seq } },
  )
  return rows[0]?.seq ?? 0
})

/** Why the stream is not the one that the ledger speaks of, or undefined when it is. */
const regression = Effect.fnUntraced(function* (record: LedgerRecord) {
  const { manager } = yield* Nats
  const { created, state } = yield* attemptNats("look at the stream", () =>
    manager.streams.info(record.stream),
  )
  if (state.last_seq < record.committed)
    return `the stream ends at ${state.last_seq}, before the committed ${record.committed}`
  if ((yield* storedBeyond(record, state.last_seq)) > 0)
    return `the store holds messages beyond the stream's end at ${state.last_seq}`
  if (record.committed === 0) return undefined
  const message = yield* messageAt(record.stream, record.committed)
  if (message === undefined)
    return created === record.created
      ? undefined
      : `the stream was created at ${created}, not at ${record.created}, and no longer holds the committed message`
  // A commit over a range whose messages were gone has no id to compare.
  if (record.committed_id === "" && record.committed_at === 0) return undefined
  return message.id === record.committed_id && message.receivedAt === record.committed_at
    ? undefined
    : `message ${record.committed} is another one than the committed`
})

/** Begins another life of the stream: everything in it is looked up until the broker's memory is whole again. */
const beginGeneration = Effect.fnUntraced(function* (record: LedgerRecord, why: string) {
  const { ledger, options, metrics, buried } = yield* Writer
  const { manager } = yield* Nats
  const { stream, generation, committed } = record
  // What the old life left half done: its messages may be gone, its rows tell which rollups to look at.
  const from = committed + 1
  const scope = yield* scopeOfStored({ stream, generation, from, to: Number.MAX_SAFE_INTEGER })
  yield* repairRollups(scope, () => ledger.current() ?? record)
  const next = Math.max(generation, yield* newestGeneration(stream)) + 1
  const { created, state } = yield* attemptNats("look at the stream", () => manager.streams.info(stream))
  yield* ledger.change((mine) => ({
    ...mine,
    generation: next,
    created,
    committed: Math.max(0, state.first_seq - 1),
    committed_id: "",
    committed_at: 0,
    // All that it holds now was perhaps attempted in its former life.
    horizon: state.last_seq,
    look_up_all_until: Date.now() + options.duplicateWindow + options.maxClockAhead,
  }))
  metrics.generations++
  metrics.committed = Math.max(0, state.first_seq - 1)
  buried.through = 0
  yield* noteQuality({
    stream,
    kind: "new_generation",
    generation: next,
    fromSeq: state.first_seq,
    toSeq: state.last_seq,
    detail: `${why}: the stream went back or was made anew; generation ${next} begins and everything in it is looked up`,
  })
})

/** Moves `committed` back while raw lacks rows that were committed, as a restored store does; never forward. */
const walkBack = Effect.fnUntraced(function* () {
  const { ledger, options } = yield* Writer
  const { stream, batch } = options
  for (;;) {
    const record = yield* ownRecord
    const from = Math.max(1, record.committed - batch.rows + 1)
    const read = yield* readRange({ stream, from, to: record.committed }, batch)
    const first = read.messages[0]
    if (first === undefined) return
    const { rows } = yield* judgeAll(read.messages)
    const { missing } = yield* prove(rows, record)
    const before = yield* messageAt(stream, first.seq - 1)
    yield* ledger.change((mine) => ({
      ...mine,
      horizon: Math.max(mine.horizon, mine.committed),
      committed: first.seq - 1,
      committed_id: before?.id ?? "",
      committed_at: before?.receivedAt ?? 0,
    }))
    if (missing.length === 0 || first.seq <= read.first) return
    yield* Effect.logWarning("the store lacks committed rows; going further back").pipe(
      Effect.annotateLogs({ stream, from: first.seq, missing: missing.length }),
    )
  }
})

/**
 * Before anything is inserted after a start or a reconnect: is it the same stream, the same ledger, the same store?
 * What it finds ends up as a doubtful range, for `settle` to make right.
 */
export const checkGround = Effect.fn("checkGround")(function* (): Effect.fn.Return<
  void,
  Failure,
  Writer | ClickHouse | Nats
> {
  const { ledger, options, buried } = yield* Writer
  const record = yield* ownRecord
  // What lies below was judged before, dead letters included.
  buried.through = record.committed
  const newest = yield* newestGeneration(options.stream)
  const why =
    newest > record.generation
      ? `the store knows generation ${newest}, the ledger only ${record.generation}`
      : yield* regression(record)
  if (why !== undefined) return yield* beginGeneration(record, why)

  const beyond = yield* storedBeyond(record, record.horizon)
  const { duplicateWindow, maxClockAhead } = options
  const isOtherRule = record.duplicate_window !== duplicateWindow || record.max_clock_ahead !== maxClockAhead
  yield* ledger.change((mine) => ({
    ...mine,
    // Rows beyond the horizon: the ledger went back in time.
    horizon: Math.max(mine.horizon, beyond),
    ...(isOtherRule
      ? {
          duplicate_window: duplicateWindow,
          max_clock_ahead: maxClockAhead,
          look_up_all_until:
            Date.now() +
            Math.max(duplicateWindow, record.duplicate_window) +
            Math.max(maxClockAhead, record.max_clock_ahead),
        }
      : {}),
  }))
  yield* walkBack()
})
