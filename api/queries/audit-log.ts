import { ClickHouse } from "#clickhouse"
import { Effect, Option, Schema } from "effect"
import { STREAMS, TABLES } from "#schemas/names.ts"
import type { AuditLogParameters, AuditLogRow } from "#schemas/report-audit-log.ts"
import { cursors } from "./cursor.ts"
import { appliedThrough, readStream } from "./freshness.ts"
import type { Report } from "./report.ts"
import { dateTime64 } from "./statement.ts"

interface StoredRecord {
  readonly id: string
  readonly at: string
  readonly actor_kind: AuditLogRow["actor"]["kind"]
  readonly actor_id: string
  readonly actor_name: string
  readonly actor_user: string
  readonly actor_role: string
  readonly action: AuditLogRow["action"]
  readonly route: string
  readonly subject: string
  readonly filters: string
  readonly request_id: string
  readonly outcome: string
}

/** The last record of a page. */
const Place = Schema.Struct({
  at: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: Date.UTC(2200, 0) })),
  id: Schema.String,
})
const auditCursors = cursors(Place)

// A record that was written twice stands here twice until it is merged.
const statement = (parameters: AuditLogParameters, place: typeof Place.Type | undefined): string => `
SELECT
  id, at, actor_kind, actor_id, actor_name, actor_user, actor_role, action, route, subject, filters, request_id, outcome
FROM ${TABLES.auditLog}
WHERE ${[
  "tenant = {tenant:String}",
  "at >= {start:DateTime64(3, 'UTC')} AND at < {end:DateTime64(3, 'UTC')}",
  ...(place === undefined ? [] : ["(at, id) < ({before_at:DateTime64(3, 'UTC')}, {before_id:String})"]),
  ...(parameters.action === undefined ? [] : ["action IN {action:Array(String)}"]),
  ...(parameters.actor === undefined
    ? []
    : ["(actor_id IN {actor:Array(String)} OR actor_user IN {actor:Array(String)})"]),
].join("\n  AND ")}
ORDER BY at DESC, id DESC
LIMIT 1 BY at, id
LIMIT {limit:UInt32}`

const orNull = (text: string): string | null => (text === "" ? null : text)

const readFilters = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown)),
)

const rowOf = (stored: StoredRecord): AuditLogRow => ({
  id: stored.id,
  at: stored.at,
  actor: {
    kind: stored.actor_kind,
    id: stored.actor_id,
    name: orNull(stored.actor_name),
    user: orNull(stored.actor_user),
    role: stored.actor_role,
  },
  action: stored.action,
  route: stored.route,
  subject: orNull(stored.subject),
  filters: Option.getOrElse(readFilters(stored.filters), () => ({})),
  request_id: orNull(stored.request_id),
  outcome: stored.outcome,
})

const PROGRESS = `
SELECT max(stream_seq) AS applied FROM ${TABLES.auditProgress}
WHERE stream = {stream:String} AND created = {created:String}`

/** The receive time up to which the audit log's stream is in the store. To be asked before the log is read. */
const auditedThrough = Effect.fn("auditedThrough")(function* (now: number) {
  const store = yield* ClickHouse
  const stream = yield* readStream(STREAMS.audit)
  const [row] = yield* store.query<{ readonly applied: number }>(PROGRESS, {
    params: { stream: STREAMS.audit, created: stream?.created ?? "" },
  })
  return yield* appliedThrough(stream, row?.applied ?? 0, now)
})

/** A page of the audit log, newest first. */
export const readAuditPage = Effect.fn("readAuditPage")(function* (
  parameters: AuditLogParameters,
  { tenant, range }: Report,
) {
  const store = yield* ClickHouse
  const { limit = 100, action = [], actor = [] } = parameters
  const place = yield* auditCursors.read(tenant, parameters)
  const dataThrough = yield* auditedThrough(range.now)
  const found = yield* store.query<StoredRecord>(statement(parameters, place), {
    params: {
      tenant,
      start: dateTime64(range.start),
      end: dateTime64(range.end),
      before_at: dateTime64(place?.at ?? 0),
      before_id: place?.id ?? "",
      action,
      actor,
      limit: limit + 1,
    },
  })
  const rows = found.slice(0, limit)
  const last = rows.at(-1)
  return {
    rows: rows.map(rowOf),
    dataThrough,
    nextCursor:
      found.length > limit && last !== undefined
        ? auditCursors.write(tenant, parameters, { at: Date.parse(last.at), id: last.id })
        : null,
  }
})
