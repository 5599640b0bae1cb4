import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { Effect } from "effect"
import type { Pin } from "#schemas/export.ts"
import { STREAMS, TABLES } from "#schemas/names.ts"
import { dateTime64 } from "./statement.ts"

/** What is true of a row that the stream had received by then. Other streams carried the tenant's rows before, not since. */
export const PINNED = `if(
      stream = {stream:String},
      (generation, stream_seq) <= ({generation:UInt32}, {sequence:UInt64}),
      received_at <= {pinned_at:DateTime64(3, 'UTC')}
    )`

/** What `PINNED` takes. What was pinned while there was one stream names none, and whatever came by another came later. */
export const pinParams = ({ stream = STREAMS.actions, at = 0, generation, sequence }: Pin) => ({
  stream,
  pinned_at: dateTime64(at),
  generation,
  sequence,
})

const STORED = `
SELECT max((generation, stream_seq)) AS newest
FROM ${TABLES.actions}
WHERE tenant = {tenant:String} AND stream = {stream:String}`

/** The newest row's place in the tenant's stream, where no ledger speaks of it. */
export const readStoredPin = Effect.fn("readStoredPin")(function* (
  tenant: string,
  stream: string,
  at: number,
): Effect.fn.Return<Pin, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  const [row] = yield* store.query<{ readonly newest: readonly [number, number] }>(STORED, {
    params: { tenant, stream },
  })
  const [generation = 0, sequence = 0] = row?.newest ?? []
  return { stream, at, generation, sequence }
})
