import { createHash } from "node:crypto"
import { Effect } from "effect"
import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { TABLES } from "#schemas/names.ts"
import { insertRows, instant } from "../apply/insert-rows.ts"
import type { Person } from "./person.ts"

/** What an erasure came to. */
export interface Erasure {
  readonly mode: "pseudonymise" | "delete"
  readonly by: string
  readonly events: number
  readonly rollup_keys: number
  readonly messages: number
  readonly dead_letters: number
  readonly exports: number
}

export const hashOf = (id: string): string => createHash("sha256").update(id).digest("hex")

/** Puts an erasure on record. */
export const recordErasure = Effect.fn("recordErasure")(function* (
  { tenant, kind, id }: Person,
  erasure: Erasure,
): Effect.fn.Return<void, ClickHouseError, ClickHouse> {
  const row = { at: instant(Date.now()), tenant, kind, id_hash: hashOf(id), ...erasure }
  yield* insertRows([{ table: TABLES.erasures, row }])
})

/** Those whose rows the store knows to be deleted. */
export const isRecorded = Effect.fn("isRecorded")(function* (
  people: ReadonlyArray<Person>,
): Effect.fn.Return<(person: Person) => boolean, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  const rows = yield* store.query<{
    readonly tenant: string
    readonly kind: string
    readonly id_hash: string
  }>(
    `SELECT DISTINCT tenant AS tenant, kind AS kind, id_hash AS id_hash
     FROM ${TABLES.erasures}
     WHERE mode = 'delete' AND tenant IN {tenants:Array(String)}`,
    { params: { tenants: [...new Set(people.map(({ tenant }) => tenant))] } },
  )
  const known = new Set(rows.map(({ tenant, kind, id_hash }) => `${tenant} ${kind} ${id_hash}`))
  return ({ tenant, kind, id }) => known.has(`${tenant} ${kind} ${hashOf(id)}`)
})
