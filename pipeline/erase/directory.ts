import { randomUUID } from "node:crypto"
import { Effect, Schedule, Schema } from "effect"
import { ClickHouse } from "#clickhouse"
import type { DirectoryEvent } from "#schemas/directory-event.ts"
import { directorySubject, messageId, STREAMS, SUBJECTS, TABLES } from "#schemas/names.ts"
import { attemptNats, Nats } from "#nats/connection.ts"
import { insertRows } from "../apply/insert-rows.ts"
import { directoryRow } from "../directory/rows.ts"
import { isDirectoryOf } from "./mentions.ts"
import type { Person } from "./person.ts"
import { purgeMessages } from "./streams.ts"

/** Stands where a name must stand; no report shows it, as the person is erased. */
const NOBODY = "Erased"

const eventOf = (tenant: string, type: string, data: object, at: number) => ({
  specversion: "1.0",
  id: `erasure-${randomUUID()}`,
  source: "/tidemark/erase",
  type,
  time: new Date(at).toISOString(),
  tenantid: tenant,
  data,
})

/** What of a user is not personal, and old reports count by. */
const readRecord = Effect.fnUntraced(function* ({ tenant, id }: Person) {
  const store = yield* ClickHouse
  const rows = yield* store.query<{
    readonly kind: string
    readonly team_ids: ReadonlyArray<string>
    readonly client_id: string
    readonly role: string
  }>(
    `SELECT
       latest.kind AS kind,
       latest.team_ids AS team_ids,
       latest.client_id AS client_id,
       latest.role AS role
     FROM
     (
         SELECT max(record) AS latest FROM ${TABLES.users}
         WHERE tenant = {tenant:String} AND user_id = {id:String} HAVING count() > 0
     )`,
    { params: { tenant, id } },
  )
  return rows[0]?.kind === "" ? undefined : rows[0]
})

/** Publishes events of the directory; gives their sequences. */
const tell = Effect.fnUntraced(function* (events: ReadonlyArray<ReturnType<typeof eventOf>>) {
  const { jetstream } = yield* Nats
  const seqs: Array<number> = []
  for (const event of events) {
    const { seq } = yield* attemptNats("publish an erasure", () =>
      jetstream.publish(directorySubject(event.tenantid, event.type), JSON.stringify(event), {
        msgID: messageId(event.tenantid, event.id),
      }),
    )
    seqs.push(seq)
  }
  return seqs
})

/** Nobody applied the directory's stream, so the tables do not know of the erasure yet. */
export class NotApplied extends Schema.TaggedError<NotApplied>()("NotApplied", {}) {
  override get message(): string {
    return "no writer applies the directory: start `tidemark writer`, see that it is ready, and erase once more"
  }
}

const PATIENCE = "60 seconds"

/** Waits until the writing side has applied the directory up to a sequence. */
const applied = Effect.fnUntraced(function* (seq: number) {
  const { manager } = yield* Nats
  const store = yield* ClickHouse
  const stream = STREAMS.directory
  // A stream that was made anew counts from one again.
  const { created } = yield* attemptNats("look at the directory", () => manager.streams.info(stream))
  const isApplied = store
    .query<{ readonly applied: number }>(
      `SELECT max(stream_seq) AS applied FROM ${TABLES.directoryProgress}
       WHERE stream = {stream:String} AND created = {created:String}`,
      { params: { stream, created } },
    )
    .pipe(Effect.map((rows) => (rows[0]?.applied ?? 0) >= seq))
  yield* isApplied.pipe(
    Effect.repeat({ until: (done) => done, schedule: Schedule.spaced("250 millis") }),
    Effect.timeoutOrElse({ duration: PATIENCE, orElse: () => new NotApplied() }),
  )
})

/** Rows that hold a name, or anything where nothing may stay. */
const rowsOf = (
  { kind }: Person,
  mode: "pseudonymise" | "delete",
): ReadonlyArray<readonly [string, string]> =>
  kind === "candidate"
    ? [[TABLES.candidates, "candidate_id = {id:String} AND NOT record.erased"]]
    : mode === "pseudonymise"
      ? [[TABLES.users, "user_id = {id:String} AND NOT personal.erased AND personal.name != {nobody:String}"]]
      : [
          [TABLES.users, "user_id = {id:String}"],
          [TABLES.licenseEvents, "user_id = {id:String}"],
          [TABLES.targets, "scope = 'user' AND scope_id = {id:String}"],
        ]

/**
 * Takes a person's name and address out of the directory: its tables, whose rows leave the disk within minutes, and its
 * stream. A user who is pseudonymised keeps kind and teams, so that no old number changes, also when the tables are one day
 * made anew from the stream. Needs a writing side that runs. Gives how many messages went.
 */
export const eraseFromDirectory = Effect.fn("eraseFromDirectory")(function* (
  person: Person,
  mode: "pseudonymise" | "delete",
) {
  const { tenant, kind, id } = person
  const store = yield* ClickHouse
  const record = kind === "user" && mode === "pseudonymise" ? yield* readRecord(person) : undefined
  const now = Date.now()
  const erased = eventOf(tenant, `${kind}.erased`, { [`${kind}_id`]: id }, now)
  const events = [
    erased,
    ...(record === undefined
      ? []
      : [
          eventOf(
            tenant,
            "user.upserted",
            {
              user_id: id,
              kind: record.kind,
              name: NOBODY,
              email: "",
              team_ids: record.team_ids,
              ...(record.client_id === "" ? {} : { client_id: record.client_id }),
              ...(record.role === "" ? {} : { role: record.role }),
            },
            now,
          ),
        ]),
  ]
  const seqs = yield* tell(events)
  const last = Math.max(...seqs)
  yield* applied(last)
  for (const [table, condition] of rowsOf(person, mode))
    yield* store.command(`ALTER TABLE ${table} DELETE WHERE tenant = {tenant:String} AND ${condition}`, {
      params: { tenant, id, nobody: NOBODY },
      settings: { mutations_sync: "2" },
    })
  // A merged row holds kind and teams beside the word that the person was erased, which alone is to stay.
  if (kind === "user" && mode === "delete") yield* insertRows([directoryRow(erased as DirectoryEvent, now)])
  const isMeant = isDirectoryOf(person, mode)
  return yield* purgeMessages(
    { stream: STREAMS.directory, filter: `${SUBJECTS.directory}.${tenant}.>`, to: last },
    (message) => !seqs.includes(message.seq) && isMeant(message),
  )
})
