import { Effect } from "effect"
import type { ClickHouse, ClickHouseError } from "#clickhouse"
import { actionSubject } from "#schemas/names.ts"
import type { Nats, NatsError } from "#nats/connection.ts"
import type { StreamMessage } from "#nats/reader.ts"
import { resolveRange } from "../audit/resolve.ts"
import type { Life } from "../audit/stream-range.ts"
import type { ActionRow, Judge } from "../writer/action-row.ts"
import type { Buried } from "../writer/buried.ts"
import type { Range } from "../writer/read-range.ts"
import { matchesSubject } from "./subject-filter.ts"

/** A valid message of the stream that raw does not hold, under no sequence. */
export interface Missing {
  readonly message: StreamMessage
  readonly row: ActionRow
}

export interface Wanted {
  readonly life: Life
  readonly judge: Judge
  /** What has a dead letter is replayed as such. */
  readonly buried: Buried
  /** Messages of these subjects alone. */
  readonly subject: string
}

/** What is missing of a piece. */
export const findMissing = Effect.fn("findMissing")(function* (
  { life, judge, buried, subject }: Wanted,
  piece: Range,
): Effect.fn.Return<ReadonlyArray<Missing>, ClickHouseError | NatsError, ClickHouse | Nats> {
  const { missing } = yield* resolveRange(life, piece, judge, buried)
  return missing.filter(({ row }) => matchesSubject(subject, actionSubject(row.tenant, row.event.type)))
})
