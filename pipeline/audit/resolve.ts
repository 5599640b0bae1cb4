import { Effect } from "effect"
import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { NO_TENANT, SUBJECTS, TABLES } from "#schemas/names.ts"
import type { Nats, NatsError } from "#nats/connection.ts"
import type { StreamMessage } from "#nats/reader.ts"
import { type ActionRow, type Judge, routeOf } from "../writer/action-row.ts"
import { type Buried, isBuried } from "../writer/buried.ts"
import { type Range, readRange } from "../writer/read-range.ts"
import { idKey, lookUp, type StoredRows } from "../writer/repeats.ts"
import type { Difference } from "./difference.ts"
import { halvesOf, HIGH_OF, LOW_OF, ROW_HASH } from "./fingerprint.ts"
import type { Life } from "./stream-range.ts"

/** What a range comes to when each of its messages and rows is looked at. */
export interface Resolved {
  readonly repeats: number
  readonly differences: ReadonlyArray<Difference>
  /** Valid messages that are nowhere: what a replay would insert. */
  readonly missing: ReadonlyArray<{ readonly message: StreamMessage; readonly row: ActionRow }>
}

interface Stored {
  readonly tenant: string
  readonly id: string
  readonly time: number
  readonly seq: number
  readonly low: number
  readonly high: number
}

const readStored = Effect.fnUntraced(function* (life: Life, range: Range) {
  const store = yield* ClickHouse
  const rows = yield* store.query<Stored>(
    `SELECT
       tenant AS tenant,
       id AS id,
       time AS time,
       seq AS seq,
       ${LOW_OF("md5")} AS low,
       ${HIGH_OF("md5")} AS high
     FROM
     (
         SELECT
             a.tenant AS tenant,
             a.id AS id,
             toUnixTimestamp64Milli(a.time) AS time,
             a.stream_seq AS seq,
             ${ROW_HASH} AS md5
         FROM ${TABLES.actions} AS a
         WHERE a.stream = {stream:String}
             AND a.generation = {generation:UInt32}
             AND a.stream_seq BETWEEN {from:UInt64} AND {to:UInt64}
     )`,
    { params: { ...life, ...range } },
  )
  return Map.groupBy(rows, ({ seq }) => seq)
})

const readAll = Effect.fnUntraced(function* (stream: string, range: Range) {
  const bounds = { rows: range.to - range.from + 1, bytes: Number.MAX_SAFE_INTEGER }
  const { messages } = yield* readRange({ stream, ...range }, bounds)
  return messages
})

/** How often the identity of a row stands in raw. */
const copies = (found: StoredRows, { tenant, event, time }: ActionRow): number =>
  (found.get(idKey(tenant, event.id)) ?? []).filter((known) => known.time === time).length

/**
 * Looks at every message and every row of a range that differs. `buried` is what has a dead letter. A message whose verdict
 * has changed since, by other limits, is right when it was treated by either.
 */
export const resolveRange = Effect.fn("resolveRange")(function* (
  life: Life,
  range: Range,
  judge: Judge,
  buried: Buried,
): Effect.fn.Return<Resolved, ClickHouseError | NatsError, ClickHouse | Nats> {
  const messages = yield* readAll(life.stream, range)
  const stored = yield* readStored(life, range)
  const differences: Array<Difference> = []
  const missing: Array<{ readonly message: StreamMessage; readonly row: ActionRow }> = []
  let repeats = 0
  const judged = messages.map((message) => ({ message, verdict: judge.judge(message) }))
  const found = yield* lookUp(judged.flatMap(({ verdict }) => (verdict.ok ? [verdict.row] : [])))
  for (const { message, verdict } of judged) {
    const { seq, subject } = message
    const rows = stored.get(seq) ?? []
    if (rows.length > 0 && buried.here.has(seq))
      for (const { tenant, id } of rows)
        differences.push({
          tenant,
          seq,
          kind: "surplus_row",
          detail: `event ${id} has a row and a dead letter`,
        })
    if (!verdict.ok) {
      const tenant = routeOf(SUBJECTS.actions, subject).tenant ?? NO_TENANT
      if (verdict.reason === "erased") {
        if (rows.length > 0)
          differences.push({
            tenant,
            seq,
            kind: "surplus_row",
            detail: "the row is of somebody who was erased",
          })
      } else if (rows.length === 0 && !isBuried(buried, message))
        differences.push({ tenant, seq, kind: "missing_dead_letter", detail: `refused: ${verdict.reason}` })
      continue
    }
    const { row } = verdict
    const of = { tenant: row.tenant, seq }
    const name = `event ${row.event.id} of ${new Date(row.time).toISOString()}`
    const standing = copies(found, row)
    if (standing > 1)
      differences.push({ ...of, kind: "doubled_row", detail: `${name} stands ${standing} times` })
    if (rows.length === 0) {
      if (standing > 0) repeats++
      else if (!isBuried(buried, message)) {
        missing.push({ message, row })
        differences.push({ ...of, kind: "missing_row", detail: `${name} is in no row` })
      }
      continue
    }
    const { low, high } = halvesOf(row, life.stream)
    if (rows.some((known) => known.low !== low || known.high !== high))
      differences.push({
        ...of,
        kind: "changed_row",
        detail: `the row of ${name} says something else than its message`,
      })
  }
  return { repeats, differences, missing }
})
