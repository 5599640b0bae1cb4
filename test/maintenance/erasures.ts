import { Effect } from "effect"
import { ClickHouse } from "#clickhouse"
import { directorySubject, messageId, TABLES } from "#schemas/names.ts"
import { readRange } from "../../pipeline/writer/read-range.ts"
import { type Tenant, Traffic } from "../faults/traffic.ts"
import { until } from "../faults/until.ts"

/** Tells the directory something, and waits until a table has it. */
export const tell = Effect.fnUntraced(function* (
  tenant: string,
  type: string,
  data: Readonly<Record<string, unknown>>,
  table: string,
) {
  const { publisher } = yield* Traffic
  const id = `${type}.${JSON.stringify(data)}`.replaceAll(/[^A-Za-z0-9._:-]/gu, "").slice(0, 90)
  const event = {
    specversion: "1.0",
    id,
    source: "/faults",
    type,
    time: "2026-01-01T00:00:00Z",
    tenantid: tenant,
    data,
  }
  const rows = Effect.flatMap(ClickHouse, (store) =>
    store.query(`SELECT 1 FROM ${table} WHERE tenant = {tenant:String}`, { params: { tenant } }),
  ).pipe(Effect.map(({ length }) => length))
  const before = yield* rows
  yield* Effect.promise(() =>
    publisher.publish({
      subject: directorySubject(tenant, type),
      messageId: messageId(tenant, id),
      payload: Buffer.from(JSON.stringify(event)),
    }),
  )
  yield* until(
    `${table} has it`,
    Effect.map(rows, (now) => now > before),
  )
})

/** A user of the directory, whose name is found nowhere else, with a licence and a target. */
export const introduce = Effect.fnUntraced(function* (tenant: string, user: string, name: string) {
  const person = { user_id: user, kind: "member", name, email: `${name}@example.org`, team_ids: ["t_1"] }
  const target = {
    scope: "user",
    user_id: user,
    metric: "logins",
    period: "week",
    value: 3,
    holds_from: "2026-01-01",
  }
  yield* tell(tenant, "user.upserted", person, TABLES.users)
  yield* tell(tenant, "license.assigned", { user_id: user }, TABLES.licenseEvents)
  yield* tell(tenant, "target.set", target, TABLES.targets)
})

/** How many messages of a stream hold a text. */
export const holding = (stream: string, text: string) =>
  Effect.map(
    readRange({ stream, from: 1, to: Number.MAX_SAFE_INTEGER }, { rows: 1e6, bytes: 1e9 }),
    ({ messages }) => messages.filter(({ payload }) => Buffer.from(payload).includes(text)).length,
  )

/** How many rows a table has of a tenant. */
export const rowsOf = (tenant: Tenant, condition = "1", table: string = TABLES.actions) =>
  Effect.flatMap(ClickHouse, (store) =>
    store.query<{ rows: number }>(
      `SELECT count() AS rows FROM ${table} WHERE tenant = {tenant:String} AND ${condition}`,
      { params: { tenant } },
    ),
  ).pipe(Effect.map((rows) => rows[0]?.rows ?? 0))
