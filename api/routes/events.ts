import { Effect, Schema } from "effect"
import type { PublishError, Publisher } from "#nats/publisher.ts"
import type { Limits } from "#schemas/decode.ts"
import { RejectedEvent } from "#schemas/problem.ts"
import type { Right } from "../auth/rights.ts"
import { accepted, type Answer } from "../http/answer.ts"
import { type Call, type Events, type Route, route } from "../http/endpoint.ts"
import { type Refused, refuse } from "../http/failure.ts"
import { ACTIONS, DIRECTORY, type Intake, judge, publish } from "../ingest/intake.ts"
import { readBody } from "../http/read-body.ts"
import type { Limiter } from "../limits/limiter.ts"
import { type Split, splitArray, splitLines } from "../ingest/split.ts"

const MAX_EVENTS = 1000
const MAX_BATCH_BYTES = 4 * 1024 * 1024
/** As much as the streams take; what is between it and an event's limit is refused by the event's own rule. */
const MAX_SINGLE_BYTES = 256 * 1024

const IN_SEVERAL = "Send the events in several requests."

const SINGLE_TYPES = ["application/json", "application/cloudevents+json"]
/** A map, as an object would find `constructor` too. */
const SPLITTERS: ReadonlyMap<string, (bytes: Uint8Array, limit: number) => Split> = new Map([
  ["application/json", splitArray],
  ["application/cloudevents-batch+json", splitArray],
  ["application/x-ndjson", splitLines],
])

const mediaTypeOf = (request: Request): string =>
  (request.headers.get("Content-Type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? ""

const unsupported = (types: ReadonlyArray<string>): Refused =>
  refuse(
    "unsupported_media_type",
    "The Content-Type is not supported.",
    { hint: `Use ${types.join(" or ")}.` },
    { Accept: types.join(", ") },
  )

const Accepted = Schema.Struct({
  id: Schema.String,
  duplicate: Schema.Boolean.annotate({ description: "The stream held it already." }),
})

const BatchAccepted = Schema.Struct({
  accepted: Schema.Int.annotate({ description: "Events that the stream took." }),
  duplicates: Schema.Int.annotate({ description: "Events that the stream held already." }),
  rejected: Schema.Array(RejectedEvent),
}).annotate({ identifier: "BatchAccepted" })

const exampleOf = (type: string, data: object) => ({
  specversion: "1.0",
  id: "example",
  source: "/ats/web",
  type,
  time: "2026-11-02T09:30:00.125Z",
  tenantid: "acme",
  data,
})
const ACTION = exampleOf("contact.created", { actor_id: "u_17", actor_type: "member", contact_id: "p_1" })
const TEAM = exampleOf("team.upserted", { team_id: "t_sales", name: "Sales" })

interface Ingestion {
  readonly publisher: Publisher
  readonly limits: Limits
  readonly spend: Limiter["spend"]
}

const sendOne = ({ publisher, limits, spend }: Ingestion) =>
  Effect.fn("sendOne")(function* ({
    request,
    credential,
  }: Call<object>): Effect.fn.Return<Answer, Refused | PublishError> {
    if (!SINGLE_TYPES.includes(mediaTypeOf(request))) return yield* unsupported(SINGLE_TYPES)
    const body = yield* readBody(request, MAX_SINGLE_BYTES)
    yield* spend(credential, 1, body.byteLength)
    const [judged] = yield* judge(ACTIONS, [body], credential.tenant, limits)
    if (judged === undefined || !judged.ok)
      return yield* refuse(judged?.code ?? "invalid_event", judged?.detail ?? "")
    const [duplicate = false] = yield* publish(publisher, [judged.message])
    return { ...accepted({ id: judged.id, duplicate }), record: { tenant: judged.tenant } }
  })

const sendBatch = ({ publisher, limits, spend }: Ingestion, intake: Intake) =>
  Effect.fn("sendBatch")(function* ({
    request,
    credential,
  }: Call<object>): Effect.fn.Return<Answer, Refused | PublishError> {
    const split = SPLITTERS.get(mediaTypeOf(request))
    if (split === undefined) return yield* unsupported([...SPLITTERS.keys()])
    const body = yield* readBody(request, MAX_BATCH_BYTES, IN_SEVERAL)
    const parts = split(body, MAX_EVENTS)
    yield* spend(credential, parts.ok ? parts.events.length : 1, body.byteLength)
    if (!parts.ok) return yield* refuse("malformed_body", parts.detail)
    if (parts.events.length > MAX_EVENTS)
      return yield* refuse("body_too_large", `The batch has more than ${MAX_EVENTS} events.`, {
        hint: IN_SEVERAL,
      })
    const judged = yield* judge(intake, parts.events, credential.tenant, limits)
    const messages = judged.flatMap((event) => (event.ok ? [event.message] : []))
    const rejected = judged.flatMap((event, index): ReadonlyArray<RejectedEvent> =>
      event.ok ? [] : [{ index, id: event.id, code: event.code, detail: event.detail }],
    )
    if (messages.length === 0)
      return yield* refuse("no_valid_event", "None of the events can be accepted.", { rejected })
    const duplicates = (yield* publish(publisher, messages)).filter(Boolean).length
    const tenants = new Set(judged.flatMap((event) => (event.ok ? [event.tenant] : [])))
    return {
      ...accepted({ accepted: messages.length - duplicates, duplicates, rejected }),
      record: { tenant: tenants.size === 1 ? [...tenants][0] : undefined },
    }
  })

const batchEndpoint = (
  path: string,
  right: Right,
  summary: string,
  kind: Events["kind"],
  example: object,
) => ({
  method: "POST" as const,
  path,
  summary,
  description: `At most ${MAX_EVENTS} events and ${MAX_BATCH_BYTES} bytes after decompression; Content-Encoding gzip is taken. Answers when the stream has acknowledged every valid event. Sending a batch again is safe.`,
  right,
  parameters: Schema.Struct({}),
  body: {
    "application/json": { kind, many: true },
    "application/cloudevents-batch+json": { kind, many: true },
    "application/x-ndjson": { kind, many: false },
  },
  example,
  answers: { 202: { description: "The valid events are stored in the stream.", content: BatchAccepted } },
  problems: ["malformed_body", "body_too_large", "unsupported_media_type", "no_valid_event"] as const,
})

export const eventRoutes = (ingestion: Ingestion): ReadonlyArray<Route> => [
  route(
    {
      method: "POST",
      path: "/v1/events",
      summary: "Send one action",
      description: "Answers when the stream has acknowledged the event. Sending it again is safe.",
      right: "send_actions",
      parameters: Schema.Struct({}),
      body: {
        "application/json": { kind: "ActionEvent", many: false },
        "application/cloudevents+json": { kind: "ActionEvent", many: false },
      },
      example: ACTION,
      answers: { 202: { description: "The event is stored in the stream.", content: Accepted } },
      problems: [
        "malformed_body",
        "body_too_large",
        "unsupported_media_type",
        "too_large",
        "invalid_json",
        "tenant_mismatch",
        "unknown_type",
        "invalid_event",
        "missing_reference",
        "time_in_future",
        "too_old",
      ],
    },
    sendOne(ingestion),
  ),
  route(
    batchEndpoint("/v1/events/batch", "send_actions", "Send many actions", "ActionEvent", ACTION),
    sendBatch(ingestion, ACTIONS),
  ),
  route(
    batchEndpoint(
      "/v1/directory/batch",
      "send_directory",
      "Send what the ids mean: tenants, users, licences, teams, clients, candidates, jobs",
      "DirectoryEvent",
      TEAM,
    ),
    sendBatch(ingestion, DIRECTORY),
  ),
]
