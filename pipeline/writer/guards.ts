import { Effect } from "effect"
import type { ClickHouse, ClickHouseError } from "#clickhouse"
import type { LedgerRecord } from "#schemas/ledger.ts"
import { attemptNats, Nats, type NatsError } from "#nats/connection.ts"
import { newestGeneration } from "./claim.ts"
import { Writer } from "./context.ts"
import { endAttempts } from "./fence.ts"
import { checkLeader } from "./leader.ts"
import type { LeaseLost } from "./ledger.ts"
import { lastStored, type Mark, messageAt } from "./marks.ts"
import { noteQuality, scopeOfStored } from "./quality.ts"
import { repairRollups } from "./repair-rollups.ts"
import { ownScope } from "./scope.ts"
import { ownRecord } from "./settle.ts"
import { walkBack } from "./walk-back.ts"

type Failure = ClickHouseError | NatsError | LeaseLost

/** Why the stream is not the one that the ledger speaks of, or undefined when it is. */
const regression = Effect.fnUntraced(function* (record: LedgerRecord, stored: Mark | undefined) {
  const { manager } = yield* Nats
  const { stream, committed } = record
  const { created, state } = yield* attemptNats("look at the stream", () => manager.streams.info(stream))
  if (state.last_seq < committed)
    return `the stream ends at ${state.last_seq}, before the committed ${committed}`
  if (stored !== undefined && stored.seq > state.last_seq)
    return `the store holds messages beyond the stream's end at ${state.last_seq}`
  const marks: ReadonlyArray<Mark> = [
    // A commit over a range whose messages were gone has nothing to compare.
    ...(record.committed_at === 0
      ? []
      : [{ seq: committed, id: record.committed_id, receivedAt: record.committed_at }]),
    // The ledger may have gone back together with the stream; what the store holds beyond it has not.
    ...(stored === undefined ? [] : [stored]),
  ]
  let known = 0
  for (const mark of marks) {
    const message = yield* messageAt(stream, mark.seq)
    // A message that has expired says nothing.
    if (message === undefined) continue
    known++
    if (message.receivedAt !== mark.receivedAt || (mark.id ?? message.id) !== message.id)
      return `message ${mark.seq} is another one than it was`
  }
  // Of a stream that holds the messages that it should, a cluster may say another time when it is added once more.
  return created === record.created || known > 0
    ? undefined
    : `the stream was created at ${created}, not at ${record.created}`
})

const CONFIRM = "1 second"

/** The same, asked twice of a cluster: a server that led the stream until just now may answer from the past. */
const confirmedRegression = Effect.fnUntraced(function* (record: LedgerRecord, stored: Mark | undefined) {
  const why = yield* regression(record, stored)
  if (why === undefined) return undefined
  const { manager } = yield* Nats
  const { config } = yield* attemptNats("look at the stream", () => manager.streams.info(record.stream))
  if (config.num_replicas < 2) return why
  yield* Effect.sleep(CONFIRM)
  return yield* regression(record, stored)
})

/** Begins another life of the stream: everything in it is looked up until the broker's memory is whole again. */
const beginGeneration = Effect.fnUntraced(function* (record: LedgerRecord, why: string) {
  const { ledger, options, metrics, led } = yield* Writer
  const { manager } = yield* Nats
  const { stream, generation, committed } = record
  // What the old life left half done: its messages may be gone, its rows tell which rollups to look at.
  const from = committed + 1
  const scope = yield* ownScope(
    yield* scopeOfStored({ stream, generation, from, to: Number.MAX_SAFE_INTEGER }),
  )
  yield* repairRollups(scope, () => ledger.current() ?? record)
  const next = Math.max(generation, yield* newestGeneration(stream)) + 1
  const { created, state } = yield* attemptNats("look at the stream", () => manager.streams.info(stream))
  yield* ledger.change((mine) => ({
    ...mine,
    judged: 0,
    generation: next,
    created,
    committed: Math.max(0, state.first_seq - 1),
    committed_id: "",
    committed_at: 0,
    // All that it holds now was perhaps attempted in its former life.
    horizon: state.last_seq,
    led_through: Math.max(0, state.first_seq - 1),
    look_up_all_until: Date.now() + options.duplicateWindow + options.maxClockAhead,
  }))
  metrics.generations++
  metrics.committed = Math.max(0, state.first_seq - 1)
  led.through = undefined
  led.leader = undefined
  yield* noteQuality({
    stream,
    kind: "new_generation",
    generation: next,
    fromSeq: state.first_seq,
    toSeq: state.last_seq,
    detail: `${why}: the stream went back or was made anew; generation ${next} begins and everything in it is looked up`,
  })
})

/**
 * True when messages that the stream received within the window may have been taken out of it. A broker that is started
 * again rebuilds its memory of ids from the messages it holds, so it no longer knows these (seen on 2.9.10).
 */
const mayHaveForgotten = Effect.fnUntraced(function* (stream: string, window: number) {
  const { manager } = yield* Nats
  const { state } = yield* attemptNats("look at the stream", () => manager.streams.info(stream))
  if (state.messages === 0) return state.last_seq > 0
  return (
    (state.num_deleted ?? 0) > 0 || (state.first_seq > 1 && Date.parse(state.first_ts) > Date.now() - window)
  )
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
  const { ledger, options } = yield* Writer
  const { manager } = yield* Nats
  // What still runs could change the store while it is looked at.
  yield* endAttempts(options.stream)
  const record = yield* ownRecord
  const stored = yield* lastStored(record, record.committed, Number.MAX_SAFE_INTEGER)
  const newest = yield* newestGeneration(options.stream)
  const why =
    newest > record.generation
      ? `the store knows generation ${newest}, the ledger only ${record.generation}`
      : yield* confirmedRegression(record, stored)
  if (why !== undefined) return yield* beginGeneration(record, why)

  const { created } = yield* attemptNats("look at the stream", () => manager.streams.info(options.stream))
  const { duplicateWindow, maxClockAhead } = options
  const isForgetful = yield* mayHaveForgotten(options.stream, duplicateWindow)
  const isOtherRule = record.duplicate_window !== duplicateWindow || record.max_clock_ahead !== maxClockAhead
  yield* ledger.change((mine) => ({
    ...mine,
    created,
    // Rows beyond the horizon: the ledger went back in time.
    horizon: Math.max(mine.horizon, stored?.seq ?? 0),
    duplicate_window: duplicateWindow,
    max_clock_ahead: maxClockAhead,
    look_up_all_until:
      isOtherRule || isForgetful
        ? Date.now() +
          Math.max(duplicateWindow, record.duplicate_window) +
          Math.max(maxClockAhead, record.max_clock_ahead)
        : mine.look_up_all_until,
  }))
  yield* checkLeader()
  yield* walkBack()
})
