import { Effect, Option, Schema } from "effect"
import { ACTION_BY_TYPE } from "#schemas/catalogue.ts"
import { Pin } from "#schemas/export.ts"
import type { ActionRow, ActionsParameters } from "#schemas/report-actions.ts"
import { readActions, type StoredAction } from "./actions.ts"
import { cursors } from "./cursor.ts"
import { localTime } from "./local-days.ts"
import { type Names, readNames } from "./names.ts"
import type { Report } from "./report.ts"

const Natural = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/** Where a page ends, and what the first page saw of the stream. */
const actionCursors = cursors(
  Schema.Struct({
    time: Natural.check(Schema.isLessThan(Date.UTC(2200, 0))),
    id: Schema.String,
    ...Pin.fields,
  }),
)

interface Directory {
  readonly users: Names
  readonly clients: Names
  readonly candidates: Names
  readonly jobs: Names
}

const readProperties = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown)),
)

const orNull = (text: string): string | null => (text === "" ? null : text)

const propertiesOf = (json: string): Readonly<Record<string, unknown>> | null =>
  Option.getOrNull(readProperties(json))

const rowOf = (action: StoredAction, zone: string, directory: Directory): ActionRow => {
  const actor = (action.actor_type === "candidate" ? directory.candidates : directory.users).get(
    action.actor_id,
  )
  const candidate = directory.candidates.get(action.candidate_id)
  const { client_id, candidate_id, job_id } = action
  return {
    id: action.id,
    type: action.type,
    action_label: ACTION_BY_TYPE.get(action.type)?.label ?? action.type,
    occurred_at: localTime(Date.parse(action.time), zone),
    occurred_at_utc: action.time,
    actor: {
      id: action.actor_id,
      type: action.actor_type,
      name: actor?.name ?? null,
      email: actor?.email ?? null,
    },
    client: client_id === "" ? null : { id: client_id, name: directory.clients.get(client_id)?.name ?? null },
    candidate:
      candidate_id === ""
        ? null
        : { id: candidate_id, name: candidate?.name ?? null, email: candidate?.email ?? null },
    job: job_id === "" ? null : { id: job_id, title: directory.jobs.get(job_id)?.name ?? null },
    contact_id: orNull(action.contact_id),
    page: orNull(action.page),
    channel: orNull(action.channel),
    quantity: action.quantity,
    automated: action.automated,
    impersonator_id: orNull(action.impersonator_id),
    source: action.source,
    session_id: orNull(action.session_id),
    properties: propertiesOf(action.properties),
  }
}

const readDirectory = (report: Report, actions: ReadonlyArray<StoredAction>) =>
  Effect.all(
    {
      users: readNames(
        report,
        "users",
        actions.map(({ actor_id }) => actor_id),
      ),
      clients: readNames(
        report,
        "clients",
        actions.map(({ client_id }) => client_id),
      ),
      candidates: readNames(
        report,
        "candidates",
        actions.flatMap(({ candidate_id, actor_type, actor_id }) =>
          actor_type === "candidate" ? [candidate_id, actor_id] : [candidate_id],
        ),
      ),
      jobs: readNames(
        report,
        "jobs",
        actions.map(({ job_id }) => job_id),
      ),
    },
    { concurrency: "unbounded" },
  )

/** A page of the action log, with the names of its own ids alone. Later pages see no more of the stream than the first. */
export const readActionPage = Effect.fn("readActionPage")(function* (
  parameters: ActionsParameters,
  report: Report,
) {
  const { tenant, range } = report
  const { limit = 100 } = parameters
  const place = yield* actionCursors.read(tenant, parameters)
  const pin = place ?? (yield* report.pin)
  const found = yield* readActions(report, parameters, pin, place, limit + 1)
  const actions = found.slice(0, limit)
  const last = actions.at(-1)
  const directory = yield* readDirectory(report, actions)
  return {
    rows: actions.map((action) => rowOf(action, range.zone, directory)),
    nextCursor:
      found.length > limit && last !== undefined
        ? actionCursors.write(tenant, parameters, {
            time: Date.parse(last.time),
            id: last.id,
            generation: pin.generation,
            sequence: pin.sequence,
            ...(pin.stream === undefined ? {} : { stream: pin.stream }),
            ...(pin.at === undefined ? {} : { at: pin.at }),
          })
        : null,
  }
})
