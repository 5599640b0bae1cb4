import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { Effect } from "effect"
import { CATALOGUE } from "#schemas/catalogue.ts"
import type { Snapshot, UserActionsRequest } from "#schemas/export.ts"
import { TABLES } from "#schemas/names.ts"
import type { Scope } from "../auth/scope.ts"
import { logConditions, logParams } from "./actions.ts"
import { type Cells, type Exported, joinedCell, textCell } from "./export-cells.ts"
import { clockParams, localTimeOf } from "./export-clock.ts"
import { rangeOf } from "./range.ts"

/** What `type` is called; the types are few and known. */
const LABEL = "transform(type, {types:Array(String)}, {labels:Array(String)}, type)"

const named = (cells: Cells, table: string, key: string, name: string): string => `
  SELECT ${key} AS id, ${textCell(cells, name)} AS name
  FROM (SELECT ${key}, max(record) AS record FROM ${table} WHERE tenant = {tenant:String} GROUP BY ${key})`

/** Of people also the e-mail address; neither when they were erased or their names are hidden. */
const people = (cells: Cells, table: string, key: string, record: string): string => `
  SELECT
    ${key} AS id,
    ${textCell(cells, `if(record.erased OR {hide_names:Bool}, '', record.name)`)} AS name,
    ${textCell(cells, `if(record.erased OR {hide_names:Bool}, '', record.email)`)} AS email
  FROM (SELECT ${key}, max(${record}) AS record FROM ${table} WHERE tenant = {tenant:String} GROUP BY ${key})`

const candidates = (cells: Cells): string => people(cells, TABLES.candidates, "candidate_id", "record")

/** Candidates act, too; where none of the rows' does, their directory is not read once more for it. */
const actor = (cells: Cells, field: "name" | "email", candidatesAct: boolean): string =>
  joinedCell(
    cells,
    candidatesAct ? `if(actor_type = 'candidate', acting.${field}, users.${field})` : `users.${field}`,
  )

const NAMES = [
  "client_name",
  "client_id",
  "actor_name",
  "actor_email",
  "actor_user_id",
  "candidate_name",
  "candidate_email",
  "candidate_id",
  "job_title",
  "job_id",
  "page",
  "action",
  "action_label",
  "occurred_at",
  "occurred_at_utc",
] as const

const columns = (cells: Cells, candidatesAct: boolean): Readonly<Record<(typeof NAMES)[number], string>> => ({
  client_name: joinedCell(cells, "clients.name"),
  client_id: textCell(cells, "action.client_id"),
  actor_name: actor(cells, "name", candidatesAct),
  actor_email: actor(cells, "email", candidatesAct),
  actor_user_id: textCell(cells, "action.actor_id"),
  candidate_name: joinedCell(cells, "candidates.name"),
  candidate_email: joinedCell(cells, "candidates.email"),
  candidate_id: textCell(cells, "action.candidate_id"),
  job_title: joinedCell(cells, "jobs.name"),
  job_id: textCell(cells, "action.job_id"),
  page: textCell(cells, "action.page"),
  action: textCell(cells, "action.type"),
  action_label: textCell(cells, "action.label"),
  occurred_at: textCell(cells, "action.occurred_at"),
  occurred_at_utc: cells.instant("action.time"),
})

/**
 * The rows are put in order first, day by day as the table keeps them, so that never more than a day's lie in memory;
 * then one row after the other gets its names. ORDERED keeps the store from changing that plan.
 */
const statement = (cells: Cells, conditions: ReadonlyArray<string>, candidatesAct: boolean): string => `
SELECT
  ${Object.entries(columns(cells, candidatesAct))
    .map(([name, expression]) => `${expression} AS ${name}`)
    .join(",\n  ")}
FROM (
  SELECT
    client_id, actor_id, actor_type, candidate_id, job_id, page, type, ${LABEL} AS label, time,
    ${localTimeOf("time")} AS occurred_at
  FROM ${TABLES.actions}
  WHERE ${conditions.join("\n    AND ")}
  ORDER BY toDate(time) DESC, time DESC, id DESC
) AS action
LEFT JOIN (${named(cells, TABLES.clients, "client_id", "record.name")}) AS clients ON clients.id = action.client_id
LEFT JOIN (${people(cells, TABLES.users, "user_id", "personal")}) AS users ON users.id = action.actor_id
LEFT JOIN (${candidates(cells)}) AS candidates ON candidates.id = action.candidate_id
LEFT JOIN (${named(cells, TABLES.jobs, "job_id", "record.title")}) AS jobs ON jobs.id = action.job_id
${candidatesAct ? `LEFT JOIN (${candidates(cells)}) AS acting ON acting.id = action.actor_id` : ""}`

const ORDERED = {
  query_plan_remove_redundant_sorting: 0,
  query_plan_join_swap_table: "false",
  query_plan_optimize_join_order_limit: 0,
  join_algorithm: "hash",
  // Spilled rows would come after all others.
  max_bytes_before_external_join: 0,
  max_bytes_ratio_before_external_join: 0,
} as const

/** A day of so many rows is sorted on disk instead. */
const MAX_ROWS_IN_MEMORY = 1_000_000

const countStatement = (conditions: ReadonlyArray<string>): string => `
SELECT sum(of_day) AS rows, max(of_day) AS rows_a_day, max(candidates_of_day) > 0 AS candidates_act
FROM (
  SELECT count() AS of_day, countIf(actor_type = 'candidate') AS candidates_of_day
  FROM ${TABLES.actions}
  WHERE ${conditions.join("\n    AND ")}
  GROUP BY toDate(time)
)`

interface Counted {
  readonly rows: number
  readonly rows_a_day: number
  readonly candidates_act: 0 | 1
}

/** The action log of a snapshot, newest first, and how many rows it has. */
export const exportActions = Effect.fn("exportActions")(function* (
  request: UserActionsRequest,
  { tenant, from, to, zone, now, pin, hide_names, ...snapshot }: Snapshot,
): Effect.fn.Return<Exported, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  const scope: Scope = snapshot.scope
  const range = rangeOf(from, to, zone, now)
  const conditions = logConditions(scope, request)
  const params = logParams({ tenant, scope }, request, pin, range)
  const [counted] = yield* store.query<Counted>(countStatement(conditions), { params })
  const { rows = 0, rows_a_day = 0, candidates_act = 0 } = counted ?? {}
  return {
    rows,
    exported: {
      names: NAMES,
      statement: (cells) => statement(cells, conditions, candidates_act === 1),
      params: {
        ...params,
        ...clockParams(range.start, range.end, zone),
        hide_names,
        types: CATALOGUE.actions.map(({ type }) => type),
        labels: CATALOGUE.actions.map(({ label }) => label),
      },
      settings: { ...ORDERED, optimize_read_in_order: rows_a_day > MAX_ROWS_IN_MEMORY ? 0 : 1 },
    },
  }
})
