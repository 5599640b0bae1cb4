import { userInfo } from "node:os"
import { Console, Effect, Option, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { ClickHouse } from "#clickhouse"
import { PersonId, Tenant } from "#schemas/envelope.ts"
import { TABLES } from "#schemas/names.ts"
import { actionStreamOf } from "#schemas/partitions.ts"
import { isFinal } from "../../api/exports/attempt.ts"
import { listJobs } from "../../api/exports/jobs.ts"
import { expireOrCancel } from "../../api/exports/remove.ts"
import { loadZones } from "../../pipeline/directory/load-zones.ts"
import { erase } from "../../pipeline/erase/erase.ts"
import type { Person } from "../../pipeline/erase/person.ts"
import { type Erasure, hashOf } from "../../pipeline/erase/record.ts"
import { findRows } from "../../pipeline/erase/rows.ts"
import { Zones } from "../../pipeline/writer/zones.ts"
import { asMaintainer } from "../maintenance.ts"
import { filesOf, topologyOf } from "../services.ts"
import type { Settings } from "../settings.ts"
import { actionWriters } from "../writer-options.ts"
import { many } from "./many.ts"
import { fitting } from "./fitting.ts"
import { onRecord } from "./on-record.ts"
import { settings } from "./settings.ts"

/** What was asked for cannot be done. */
class EraseError extends Schema.TaggedError<EraseError>()("EraseError", { detail: Schema.String }) {
  override get message(): string {
    return `erase: ${this.detail}`
  }
}

const personFlag = (kind: string, what: string) =>
  Flag.String(kind).pipe(Flag.withDescription(what), fitting(PersonId), Flag.optional)

/** Every export of a tenant that has a file or is about to: any of them may hold the person. */
const removeExports = (current: Settings, tenant: string) =>
  Effect.gen(function* () {
    const files = yield* filesOf(current)
    const jobs = (yield* listJobs(tenant)).filter(
      ({ record }) => !isFinal(record) || record.file !== undefined,
    )
    for (const job of jobs)
      yield* expireOrCancel(job, files).pipe(
        Effect.catchTag("Refused", ({ detail }) => Effect.fail(new EraseError({ detail }))),
      )
    return jobs.length
  })

const personOf = (
  tenant: string,
  user: Option.Option<string>,
  candidate: Option.Option<string>,
): Effect.Effect<Person, EraseError> =>
  Option.isSome(user) === Option.isSome(candidate)
    ? Effect.fail(new EraseError({ detail: "say either --user or --candidate" }))
    : Effect.succeed(
        Option.isSome(user)
          ? { tenant, kind: "user", id: user.value }
          : { tenant, kind: "candidate", id: Option.getOrElse(candidate, () => "") },
      )

const LIST = `
SELECT
  formatDateTime(at, '%Y-%m-%dT%H:%i:%SZ', 'UTC') AS erased_at,
  kind AS kind,
  id_hash AS id_hash,
  mode AS mode,
  by AS by,
  events AS events,
  rollup_keys AS rollup_keys,
  messages AS messages,
  dead_letters AS dead_letters,
  exports AS exports
FROM ${TABLES.erasures}
WHERE tenant = {tenant:String}
ORDER BY at`

const listErasures = Effect.fnUntraced(function* (tenant: string) {
  const store = yield* ClickHouse
  const rows = yield* store.query<Readonly<Record<string, string | number>>>(LIST, { params: { tenant } })
  for (const row of rows) yield* Console.log(JSON.stringify(row))
  if (rows.length === 0) yield* Console.error(`Nobody of ${tenant} was erased.`)
})

/** What it would take, in words. */
const announce = Effect.fnUntraced(function* (person: Person, mode: Erasure["mode"]) {
  const { tenant, kind, id } = person
  const { events, first, last } = yield* findRows(person)
  yield* Console.log(
    events === 0
      ? `Raw has no event of ${kind} ${id} of ${tenant}.`
      : `Raw has ${many(events, "event")} of ${kind} ${id} of ${tenant}, from ${first} to ${last}.`,
  )
  yield* Console.log(
    mode === "delete"
      ? "--yes deletes them, what the directory knows, messages of the streams, dead letters and the tenant's export files."
      : "They stay. --yes deletes name and address from the directory, its stream and its dead letters, and the tenant's export files.",
  )
})

const report = ({ tenant, kind, id }: Person, done: Erasure, { streamRetention }: Settings): string => {
  const purged = new Date(Date.now() + streamRetention).toISOString().slice(0, 10)
  return [
    `${done.mode === "delete" ? "Deleted" : "Pseudonymised"} ${kind} ${id} of ${tenant}:`,
    `  raw          ${many(done.events, "row")} deleted`,
    `  rollups      ${many(done.rollup_keys, "key")} corrected`,
    `  streams      ${many(done.messages, "message")} taken out and overwritten, ${done.dead_letters} of them dead letters`,
    `  exports      ${many(done.exports, "file")} removed or canceled`,
    "  disk         the parts that held rows go within ten minutes; backups and copies of the data folder are yours",
    ...(done.mode === "delete"
      ? [
          `  from now on  its events are stored nowhere; what is sent again leaves the stream with its retention, ${purged}`,
        ]
      : []),
  ].join("\n")
}

export const eraseCommand = Command.make(
  "erase",
  {
    tenant: Flag.String("tenant").pipe(Flag.withDescription("Whose user or candidate"), fitting(Tenant)),
    user: personFlag("user", "The id of the user"),
    candidate: personFlag("candidate", "The id of the candidate"),
    mode: Flag.Literals("mode", ["pseudonymise", "delete"]).pipe(
      Flag.withDescription(
        "pseudonymise: names and addresses go, and no number changes; delete: the person's actions go, too",
      ),
      Flag.withDefault("pseudonymise" as const),
    ),
    yes: Flag.Boolean("yes").pipe(
      Flag.withDescription("Do it; without it, only say what it would take. It cannot be undone"),
      Flag.withDefault(false),
    ),
    list: Flag.Boolean("list").pipe(
      Flag.withDescription("The tenant's erasures so far, a JSON object a line"),
      Flag.withDefault(false),
    ),
  },
  ({ tenant, user, candidate, mode, yes, list }) =>
    Effect.gen(function* () {
      const current = yield* settings
      if (list) return yield* listErasures(tenant)
      const person = yield* personOf(tenant, user, candidate)
      if (!yes) return yield* announce(person, mode)
      yield* topologyOf(current, "other")
      const { partitions, current: streams, leftBehind } = yield* actionWriters(current)
      const all = [...streams, ...leftBehind].map((options) => ({ ...options, why: "an erasure" }))
      const own = all.find(({ stream }) => stream === actionStreamOf(tenant, partitions))
      if (own === undefined) return
      const zones = new Zones()
      yield* loadZones(zones)
      const done = yield* erase(person, {
        mode,
        by: userInfo().username,
        maintenance: own,
        elsewhere: all.filter((options) => options !== own).map(({ stream }) => stream),
        zones,
        removeExports: removeExports(current, tenant),
      })
      yield* onRecord({
        tenant,
        action: "person.erased",
        command: "erase",
        subject: `${person.kind}:${hashOf(person.id).slice(0, 32)}`,
        filters: { ...done },
      })
      yield* Console.log(report(person, done, current))
    }).pipe((work) => Effect.flatMap(settings, (current) => asMaintainer(current, "operator")(work))),
).pipe(Command.withDescription("Erase a user or a candidate: names alone, or all that the person did"))
