import { Effect } from "effect"
import { ClickHouse, type ClickHouseError } from "#clickhouse"
import type { LedgerRecord } from "#schemas/ledger.ts"
import { TABLES } from "#schemas/names.ts"
import { attemptNats, Nats, type NatsError } from "#nats/connection.ts"

/** What tells the message at a sequence from another one that stands there in another life of the stream. */
export interface Mark {
  readonly seq: number
  /** The header `Nats-Msg-Id`; undefined where only the receive time is known. */
  readonly id?: string
  /** Milliseconds since 1970. */
  readonly receivedAt: number
}

/** The stream's message at a sequence; undefined when it does not hold it any more. */
export const messageAt = Effect.fn("messageAt")(function* (
  stream: string,
  seq: number,
): Effect.fn.Return<Mark | undefined, NatsError, Nats> {
  const { manager } = yield* Nats
  if (seq < 1) return undefined
  const message = yield* attemptNats("read a message", () => manager.streams.getMessage(stream, { seq }))
  if (message === null) return undefined
  return { seq, id: message.header.get("Nats-Msg-Id"), receivedAt: message.time.getTime() }
})

/** The last row of the record's generation that raw holds after one sequence and up to another. */
export const lastStored = Effect.fn("lastStored")(function* (
  { stream, generation }: LedgerRecord,
  after: number,
  upTo: number,
): Effect.fn.Return<Mark | undefined, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  const rows = yield* store.query<Mark>(
    `SELECT stream_seq AS seq, toUnixTimestamp64Milli(received_at) AS receivedAt
     FROM ${TABLES.actions}
     WHERE stream = {stream:String} AND generation = {generation:UInt32}
         AND stream_seq > {after:UInt64} AND stream_seq <= {upTo:UInt64}
     ORDER BY stream_seq DESC
     LIMIT 1`,
    { params: { stream, generation, after, upTo } },
  )
  return rows[0]
})

/** The record when everything beyond a message is doubtful that was committed. */
export const movedBack = (record: LedgerRecord, seq: number, mark: Mark | undefined): LedgerRecord => ({
  ...record,
  horizon: Math.max(record.horizon, record.committed),
  judged: Math.max(record.judged ?? 0, record.committed),
  committed: seq,
  committed_id: mark?.id ?? "",
  committed_at: mark?.receivedAt ?? 0,
})
