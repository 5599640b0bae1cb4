import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { Effect } from "effect"
import { TABLES } from "#schemas/names.ts"
import { ask } from "./memory.ts"
import type { Report } from "./report.ts"

/** What the directory calls somebody or something now; null when it was erased. */
export interface Named {
  readonly id: string
  readonly name: string | null
  readonly email: string | null
}
export type Names = ReadonlyMap<string, Named>

/** Rows whole, by max(record): the newest version, whatever parts it lies in. */
const statement = (table: string, key: string, name: string, email: string, column = "record"): string => `
SELECT id, ${name} AS name, ${email} AS email
FROM (
  SELECT ${key} AS id, max(${column}) AS record FROM ${table}
  WHERE tenant = {tenant:String} AND ${key} IN {ids:Array(String)}
  GROUP BY ${key}
)`

const unlessErased = (field: string): string => `if(record.erased, NULL, record.${field})`

const STATEMENTS = {
  users: statement(TABLES.users, "user_id", unlessErased("name"), unlessErased("email"), "personal"),
  candidates: statement(TABLES.candidates, "candidate_id", unlessErased("name"), unlessErased("email")),
  clients: statement(TABLES.clients, "client_id", "record.name", "NULL"),
  jobs: statement(TABLES.jobs, "job_id", "record.title", "NULL"),
  teams: statement(TABLES.teams, "team_id", "record.name", "NULL"),
} as const

const PEOPLE = new Set<keyof typeof STATEMENTS>(["users", "candidates"])

/**
 * The names of these ids; ids that the directory does not know are missing, and so are people where the tenant hides
 * their names. Empty ids are passed over.
 */
export const readNames = Effect.fn("readNames")(function* (
  { tenant, settings, version }: Pick<Report, "tenant" | "settings"> & Partial<Pick<Report, "version">>,
  kind: keyof typeof STATEMENTS,
  ids: Iterable<string>,
): Effect.fn.Return<Names, ClickHouseError, ClickHouse> {
  const wanted = [...new Set(ids)].filter((id) => id !== "")
  if (wanted.length === 0 || (settings.hide_names && PEOPLE.has(kind))) return new Map()
  const store = yield* ClickHouse
  const params = { tenant, ids: wanted }
  const rows = yield* version === undefined
    ? store.query<Named>(STATEMENTS[kind], { params })
    : ask<Named>(version, STATEMENTS[kind], params, [{ table: TABLES[kind] }])
  return new Map(rows.map((row) => [row.id, row]))
})
