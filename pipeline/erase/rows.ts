import { Effect } from "effect"
import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { TABLES } from "#schemas/names.ts"
import type { NatsError } from "#nats/connection.ts"
import { type Writer } from "../writer/context.ts"
import { ALTER_SETTINGS, DELETE_WITHIN_LEASE, deleteParams, queryId, tooLate } from "../writer/fence.ts"
import type { LeaseLost } from "../writer/ledger.ts"
import { ownRecord } from "../writer/settle.ts"
import { changing } from "../writer/unproved.ts"
import { type Person, ROWS_OF } from "./person.ts"

const FOUND = (kind: Person["kind"]): string => `
SELECT
  count() AS events,
  toString(toDate(min(time))) AS first,
  toString(toDate(max(time))) AS last
FROM ${TABLES.actions}
WHERE tenant = {tenant:String} AND ${ROWS_OF[kind]}`

/** Keys that would stay behind with nothing in them, and name the person. */
const KEYS: Readonly<Record<Person["kind"], ReadonlyArray<readonly [table: string, condition: string]>>> = {
  user: [
    [TABLES.activity15m, "user_id = {id:String}"],
    [TABLES.activityDaily, "user_id = {id:String}"],
  ],
  candidate: [[TABLES.clientActivity15m, "candidate_id = {id:String}"]],
}

/** How many rows raw has of a person, and on which days (UTC, first and last). */
export const findRows = Effect.fn("findRows")(function* ({
  kind,
  tenant,
  id,
}: Person): Effect.fn.Return<
  { readonly events: number; readonly first: string; readonly last: string },
  ClickHouseError,
  ClickHouse
> {
  const store = yield* ClickHouse
  const rows = yield* store.query<{ readonly events: number; readonly first: string; readonly last: string }>(
    FOUND(kind),
    { params: { tenant, id } },
  )
  return rows[0] ?? { events: 0, first: "", last: "" }
})

/**
 * Deletes a person's rows from raw and keys from the rollups, and makes the rollups right, as the partition's owner. The
 * parts that held them leave the disk within the server's `old_parts_lifetime`, eight minutes.
 */
export const eraseRows = Effect.fn("eraseRows")(function* (
  person: Person,
): Effect.fn.Return<
  { readonly events: number; readonly keys: number },
  ClickHouseError | NatsError | LeaseLost,
  Writer | ClickHouse
> {
  const { kind, tenant, id } = person
  const store = yield* ClickHouse
  const { events, first, last } = yield* findRows(person)
  /** Rows that go after their rollups were made right by somebody else would leave them wrong: late ones are not to go. */
  const take = Effect.fnUntraced(function* (table: string, condition: string) {
    const record = yield* ownRecord
    const of = `tenant = {tenant:String} AND ${condition}`
    yield* store.command(`ALTER TABLE ${table} DELETE WHERE ${of} AND ${DELETE_WITHIN_LEASE}`, {
      queryId: queryId(record, "erase"),
      params: { tenant, id, ...deleteParams(record) },
      settings: ALTER_SETTINGS,
    })
    const rows = yield* store.query<{ readonly left: number }>(
      `SELECT count() AS left FROM ${table} WHERE ${of}`,
      { params: { tenant, id } },
    )
    if (rows[0]?.left !== 0) return yield* tooLate("an erasure")
  })
  const keys = Effect.forEach(KEYS[kind], ([table, condition]) => take(table, condition))
  // Rows that a repair deleted before are masked, and in the parts still.
  const unmasked = Effect.forEach([TABLES.actions, ...KEYS[kind].map(([table]) => table)], (table) =>
    store.command(`ALTER TABLE ${table} APPLY DELETED MASK`, { settings: { mutations_sync: "2" } }),
  )
  if (events === 0) {
    yield* Effect.andThen(keys, unmasked)
    return { events, keys: 0 }
  }
  const scope = { tenants: [tenant], from: first, to: last }
  const { keys: corrected } = yield* changing(
    scope,
    take(TABLES.actions, ROWS_OF[kind]).pipe(Effect.andThen(keys)),
  )
  // The corrections of such keys name the person once more.
  yield* Effect.andThen(keys, unmasked)
  return { events, keys: corrected }
})
