import { Effect } from "effect"
import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { TABLES } from "#schemas/names.ts"
import type { NatsError } from "#nats/connection.ts"
import { Writer } from "../writer/context.ts"
import { MUTATION_OF, mutationParams } from "../writer/fence.ts"
import type { LeaseLost } from "../writer/ledger.ts"
import { changing } from "../writer/unproved.ts"
import { type Person, ROWS_OF } from "./person.ts"

/** A mutation, waited for. It needs no deadline: what it takes may be nowhere, however late it comes. */
const SETTINGS = { mutations_sync: "2" } as const

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
  const { options } = yield* Writer
  const { events, first, last } = yield* findRows(person)
  const command = { params: { tenant, id, ...mutationParams(options.stream) }, settings: SETTINGS }
  const keys = Effect.forEach(KEYS[kind], ([table, condition]) =>
    store.command(
      `ALTER TABLE ${table} DELETE WHERE ${MUTATION_OF} AND tenant = {tenant:String} AND ${condition}`,
      command,
    ),
  )
  // Rows that a repair deleted before are masked, and in the parts still.
  const unmasked = Effect.forEach([TABLES.actions, ...KEYS[kind].map(([table]) => table)], (table) =>
    store.command(`ALTER TABLE ${table} APPLY DELETED MASK`, { settings: SETTINGS }),
  )
  if (events === 0) {
    yield* Effect.andThen(keys, unmasked)
    return { events, keys: 0 }
  }
  const scope = { tenants: [tenant], from: first, to: last }
  const { keys: corrected } = yield* changing(
    scope,
    store
      .command(
        `ALTER TABLE ${TABLES.actions} DELETE WHERE ${MUTATION_OF} AND tenant = {tenant:String} AND ${ROWS_OF[kind]}`,
        command,
      )
      .pipe(Effect.andThen(keys)),
  )
  // The corrections of such keys name the person once more.
  yield* Effect.andThen(keys, unmasked)
  return { events, keys: corrected }
})
