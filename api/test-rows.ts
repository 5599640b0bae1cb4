// Rows for the API's tests, as the writer and the directory's consumer would have put them there.
import { Effect } from "effect"
import { ClickHouse } from "#clickhouse"
import { DATABASE } from "#schemas/names.ts"
import { storeAs } from "./test-app.ts"

type Row = Readonly<Record<string, unknown>>

const insert = (table: string, rows: ReadonlyArray<Row>): Promise<void> =>
  Effect.gen(function* () {
    const [first] = rows
    if (first === undefined) return
    const store = yield* ClickHouse
    yield* store.insert({
      statement: `INSERT INTO ${DATABASE}.${table} (${Object.keys(first).join(", ")}) FORMAT JSONEachRow`,
      body: [Buffer.from(rows.map((row) => JSON.stringify(row)).join("\n"))],
      settings: { date_time_input_format: "best_effort" },
    })
  }).pipe(Effect.provide(storeAs("tidemark_writer")), Effect.runPromise)

export interface Action {
  readonly id: string
  readonly type: string
  readonly time: string
  readonly actor_id: string
  readonly [field: string]: unknown
}

const localDay = (time: string, zone: string): string =>
  new Intl.DateTimeFormat("en-CA", {
    timeZone: zone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  }).format(Date.parse(time))

let sequence = 0

/** Actions into the raw table; its views fill the rollups. */
export const putActions = (tenant: string, zone: string, actions: ReadonlyArray<Action>): Promise<void> =>
  insert(
    "actions",
    actions.map((action) => ({
      tenant,
      source: "/test",
      actor_type: "member",
      impersonator_id: "",
      automated: false,
      quantity: 1,
      client_id: "",
      candidate_id: "",
      contact_id: "",
      job_id: "",
      page: "",
      channel: "",
      session_id: "",
      correlation_id: "",
      properties: "",
      zone,
      local_day: localDay(action.time, zone),
      generation: 0,
      stream: "ACTIONS",
      stream_seq: ++sequence,
      received_at: action.time,
      ...action,
    })),
  )

/** A row straight into a rollup, as a correction is. */
export const putDaily = (tenant: string, row: Row): Promise<void> =>
  insert("user_activity_daily", [{ tenant, ...row }])
export const putQuarter = (tenant: string, row: Row): Promise<void> =>
  insert("user_activity_15m", [{ tenant, ...row }])

export const putAuditLog = (tenant: string, records: ReadonlyArray<Row>): Promise<void> =>
  insert(
    "audit_log",
    records.map((record) => ({ tenant, ...record })),
  )

const VERSION = "2026-01-01T00:00:00.000Z"
/** The version of an erasure, which nothing follows. */
const END_OF_TIME = "2299-12-31T23:59:59.999Z"
const ERASED = { version: END_OF_TIME, event_id: "e", name: "", email: "", erased: true }

export const putTenant = (tenant: string, time_zone: string, record: Row = {}): Promise<void> =>
  insert("directory_tenants", [
    {
      tenant,
      record: { version: VERSION, event_id: "e", name: tenant, time_zone, contract_months: 12, ...record },
    },
  ])

export const putUsers = (tenant: string, users: Readonly<Record<string, Row>>): Promise<void> =>
  insert(
    "directory_users",
    Object.entries(users).map(([user_id, { version = VERSION, name, email, ...record }]) => ({
      tenant,
      user_id,
      record: { version, event_id: "e", kind: "member", team_ids: [], client_id: "", role: "", ...record },
      personal: {
        version,
        event_id: "e",
        name: name ?? `Name of ${user_id}`,
        email: email ?? `${user_id}@example.org`,
        erased: false,
      },
    })),
  )

export const eraseUsers = (tenant: string, ids: ReadonlyArray<string>): Promise<void> =>
  insert(
    "directory_users",
    ids.map((user_id) => ({ tenant, user_id, personal: ERASED })),
  )

export const eraseCandidates = (tenant: string, ids: ReadonlyArray<string>): Promise<void> =>
  insert(
    "directory_candidates",
    ids.map((candidate_id) => ({ tenant, candidate_id, record: ERASED })),
  )

const named =
  (table: string, key: string, fields: Row) =>
  (tenant: string, rows: Readonly<Record<string, Row>>): Promise<void> =>
    insert(
      table,
      Object.entries(rows).map(([id, record]) => ({
        tenant,
        [key]: id,
        record: { version: VERSION, event_id: "e", ...fields, ...record },
      })),
    )

export const putTeams = named("directory_teams", "team_id", { name: "" })
export const putClients = named("directory_clients", "client_id", { name: "" })
export const putCandidates = named("directory_candidates", "candidate_id", {
  name: "",
  email: "",
  erased: false,
})
export const putJobs = named("directory_jobs", "job_id", { title: "", client_id: "", status: "open" })

export interface License {
  readonly user_id: string
  readonly verb: "assigned" | "enabled" | "disabled" | "deleted"
  readonly time: string
  readonly event_id?: string
}

export const putLicenses = (tenant: string, licenses: ReadonlyArray<License>): Promise<void> =>
  insert(
    "directory_license_events",
    licenses.map((license, index) => ({ tenant, event_id: `e${index}`, ...license })),
  )

export interface TargetVersion {
  readonly scope: "user" | "team" | "team_members" | "everyone"
  readonly scope_id?: string
  readonly metric: string
  readonly period: "week" | "month"
  readonly holds_from: string
  readonly value: number | null
  readonly set_at?: string
  readonly event_id?: string
  readonly set_by?: string
}

export const putTargets = (tenant: string, targets: ReadonlyArray<TargetVersion>): Promise<void> =>
  insert(
    "directory_targets",
    targets.map((target, index) => ({
      tenant,
      scope_id: "",
      set_at: VERSION,
      event_id: `e${index}`,
      set_by: "",
      ...target,
    })),
  )
