import { Effect } from "effect"
import type { ClickHouse, ClickHouseError } from "#clickhouse"
import type { LedgerRecord } from "#schemas/ledger.ts"
import { attemptNats, Nats, type NatsError } from "#nats/connection.ts"
import { Writer } from "./context.ts"
import type { LeaseLost } from "./ledger.ts"
import { lastStored, messageAt, movedBack } from "./marks.ts"
import { prove } from "./prove.ts"
import { readRange } from "./read-range.ts"
import { judgeAll, ownRecord } from "./settle.ts"

type Failure = ClickHouseError | NatsError | LeaseLost

/**
 * Batches are under way together, so a store that was copied may lack one and hold a later one. Nothing is missing
 * below so many batches' worth of messages of which nothing is missing.
 */
const OVERTAKEN = 3

/** Declares everything beyond a sequence doubtful. */
const moveBack = Effect.fnUntraced(function* (seq: number) {
  const { ledger, options } = yield* Writer
  const message = yield* messageAt(options.stream, seq)
  yield* ledger.change((mine) => movedBack(mine, seq, message))
})

/** The last committed sequence of which raw has a row; looked for in ranges that grow, since the last are the likely ones. */
const lastCommittedStored = Effect.fnUntraced(function* (record: LedgerRecord) {
  const { options } = yield* Writer
  const { manager } = yield* Nats
  const { committed, stream } = record
  const { state } = yield* attemptNats("look at the stream", () => manager.streams.info(stream))
  const beforeFirst = Math.min(committed, Math.max(0, state.first_seq - 1))
  for (let width = options.batch.rows; ; width *= 8) {
    const after = Math.max(beforeFirst, committed - width)
    const found = yield* lastStored(record, after, committed)
    if (found !== undefined) return found.seq
    if (after === beforeFirst) return beforeFirst
  }
})

/** Moves `committed` back while raw lacks rows that were committed, as a restored store does; never forward. */
export const walkBack = Effect.fn("walkBack")(function* (): Effect.fn.Return<
  void,
  Failure,
  Writer | ClickHouse | Nats
> {
  const { options } = yield* Writer
  const { stream, batch } = options
  const start = yield* ownRecord
  // What came last may have been refused messages and repeats alone, which say nothing of the store.
  const stored = yield* lastCommittedStored(start)
  if (stored < start.committed) yield* moveBack(stored)
  for (let whole = 0; whole < OVERTAKEN;) {
    const record = yield* ownRecord
    const from = Math.max(1, record.committed - batch.rows + 1)
    const read = yield* readRange({ stream, from, to: record.committed }, batch)
    const first = read.messages[0]
    if (first === undefined) return
    const { rows, astray } = yield* judgeAll(read.messages)
    const { missing } = yield* prove([...rows, ...astray.map(({ row }) => row)], record)
    yield* moveBack(first.seq - 1)
    if (first.seq <= read.first) return
    whole = missing.length === 0 ? whole + 1 : 0
    if (missing.length > 0)
      yield* Effect.logWarning("the store lacks committed rows; going further back").pipe(
        Effect.annotateLogs({ stream, from: first.seq, missing: missing.length }),
      )
  }
})
