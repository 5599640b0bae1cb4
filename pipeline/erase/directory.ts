import { randomUUID } from "node:crypto"
import { Effect, Schedule } from "effect"
import { ClickHouse } from "#clickhouse"
import { directorySubject, messageId, STREAMS, TABLES } from "#schemas/names.ts"
import { attemptNats, Nats } from "#nats/connection.ts"
import { isDirectoryOf } from "./mentions.ts"
import type { Person } from "./person.ts"
import { purgeMessages } from "./streams.ts"

/** Stands where a name must stand; no report shows it, as the person is erased. */
const NOBODY = "Erased"

const eventOf = (tenant: string, type: string, data: object) => ({
  specversion: "1.0",
  id: `erasure-${randomUUID()}`,
  source: "/tidemark/erase",
  type,
  time: new Date().toISOString(),
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

/** Publishes events of the directory; gives the sequence of the last one. */
const tell = Effect.fnUntraced(function* (events: ReadonlyArray<ReturnType<typeof eventOf>>) {
  const { jetstream } = yield* Nats
  let last = 0
  for (const event of events) {
    const { seq } = yield* attemptNats("publish an erasure", () =>
      jetstream.publish(directorySubject(event.tenantid, event.type), JSON.stringify(event), {
        msgID: messageId(event.tenantid, event.id),
      }),
    )
    last = seq
  }
  return last
})

/** Until the writing side has applied the directory up to a sequence. */
const applied = (seq: number) =>
  Effect.flatMap(ClickHouse, (store) =>
    store.query<{ readonly applied: number }>(
      `SELECT max(stream_seq) AS applied FROM ${TABLES.directoryProgress} WHERE stream = {stream:String}`,
      { params: { stream: STREAMS.directory } },
    ),
  ).pipe(Effect.map((rows) => (rows[0]?.applied ?? 0) >= seq))

/** Rows that hold a name, or anything where nothing may stay. The row that says erased stays, and holds the id alone. */
const rowsOf = (
  { kind }: Person,
  mode: "pseudonymise" | "delete",
): ReadonlyArray<readonly [string, string]> =>
  kind === "candidate"
    ? [[TABLES.candidates, "candidate_id = {id:String} AND NOT record.erased"]]
    : [
        [TABLES.users, "user_id = {id:String} AND NOT personal.erased AND personal.name != {nobody:String}"],
        ...(mode === "delete" ? [[TABLES.licenseEvents, "user_id = {id:String}"] as const] : []),
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
  const events = [
    eventOf(tenant, `${kind}.erased`, { [`${kind}_id`]: id }),
    ...(record === undefined
      ? []
      : [
          eventOf(tenant, "user.upserted", {
            user_id: id,
            kind: record.kind,
            name: NOBODY,
            email: "",
            team_ids: record.team_ids,
            ...(record.client_id === "" ? {} : { client_id: record.client_id }),
            ...(record.role === "" ? {} : { role: record.role }),
          }),
        ]),
  ]
  const last = yield* tell(events)
  yield* applied(last).pipe(
    Effect.repeat({ until: (isApplied) => isApplied, schedule: Schedule.spaced("250 millis") }),
  )
  for (const [table, condition] of rowsOf(person, mode))
    yield* store.command(`ALTER TABLE ${table} DELETE WHERE tenant = {tenant:String} AND ${condition}`, {
      params: { tenant, id, nobody: NOBODY },
      settings: { mutations_sync: "2" },
    })
  // The new ones come after what is looked at.
  return yield* purgeMessages(STREAMS.directory, last - events.length, isDirectoryOf(person))
})
