import { Effect, Schedule } from "effect"
import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { TABLES } from "#schemas/names.ts"
import type { Nats } from "#nats/connection.ts"
import type { MaintenanceError } from "../writer/maintenance.ts"
import { differences, keyText, type Rollup, ROLLUPS } from "../writer/rollups.ts"
import { ofPiece, paramsOf, type Piece } from "../writer/scope.ts"
import type { Difference } from "./difference.ts"

/** Runs a look while nobody writes. */
export type Quietly = <A, E>(
  look: Effect.Effect<A, E, ClickHouse | Nats>,
) => Effect.Effect<A, E | MaintenanceError, ClickHouse | Nats>

/** What is wrong in a piece; each by a text that stays the same while the same is wrong, whatever else comes to its key. */
type Found = ReadonlyMap<string, Difference>

/** More than anybody looks at; what is beyond it is counted by nobody. */
const MOST = 10_000

const keysOf = Effect.fnUntraced(function* (piece: Piece, rollup: Rollup) {
  const store = yield* ClickHouse
  return yield* store.query<{
    readonly tenant: string
    readonly key: string
    readonly events: string
    readonly quantity: string
  }>(
    `SELECT
       tenant AS tenant,
       ${keyText(rollup, " ")} AS key,
       toString(events) AS events,
       toString(quantity) AS quantity
     FROM (${differences(ofPiece(rollup, piece))})
     LIMIT ${MOST}`,
    { params: paramsOf(piece) },
  )
})

// The primary key's order: each tenant and day is finished before the next begins.
const DOUBLES = `
SELECT
  a.tenant AS tenant,
  a.id AS id,
  toString(a.time) AS time,
  count() AS copies,
  max(a.stream_seq) AS seq
FROM ${TABLES.actions} AS a
WHERE a.tenant IN {tenants:Array(String)} AND toDate(a.time) IN {days:Array(Date)}
GROUP BY a.tenant, toDate(a.time), a.id, a.time
HAVING copies > 1
LIMIT ${MOST}
SETTINGS optimize_aggregation_in_order = 1`

const look = Effect.fnUntraced(function* (
  piece: Piece,
): Effect.fn.Return<Found, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  const found = new Map<string, Difference>()
  for (const rollup of ROLLUPS)
    for (const { tenant, key, events, quantity } of yield* keysOf(piece, rollup)) {
      const detail = `${rollup.table} ${key}: lacks ${events} events and ${quantity} of quantity`
      found.set(detail, { kind: "rollup_key", tenant, seq: 0, detail })
    }
  // Once for all parts: it is done one tenant and day after the other.
  if (piece.part > 0) return found
  const doubles = yield* store.query<{
    readonly tenant: string
    readonly id: string
    readonly time: string
    readonly copies: number
    readonly seq: number
  }>(DOUBLES, { params: { ...piece } })
  for (const { tenant, id, time, copies, seq } of doubles)
    found.set(`${tenant} ${id} ${time} ${copies}`, {
      kind: "doubled_row",
      tenant,
      seq,
      detail: `event ${id} of ${time} stands ${copies} times`,
    })
  return found
})

/** An insert's rows are seen in raw and in each rollup an instant apart; what is wrong stays wrong. */
const AGAIN = Schedule.spaced("200 millis").pipe(Schedule.upTo({ times: 5 }))

/**
 * What differs between raw and the rollups in a piece, and which events stand in raw twice. What is seen while the writer
 * writes is looked at again and, if it stays, once more while nobody does: that look decides.
 */
export const rollupDifferences = Effect.fn("rollupDifferences")(function* (
  piece: Piece,
  quietly: Quietly,
): Effect.fn.Return<ReadonlyArray<Difference>, MaintenanceError, ClickHouse | Nats> {
  let left = yield* look(piece)
  if (left.size === 0) return []
  yield* Effect.map(look(piece), (found) => {
    left = new Map([...left].filter(([key]) => found.has(key)))
    return left.size
  }).pipe(Effect.repeat({ schedule: AGAIN, until: (size) => size === 0 }))
  return left.size === 0 ? [] : [...(yield* quietly(look(piece))).values()]
})
