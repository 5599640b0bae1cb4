import { Schema } from "effect"

/** Every way in which the HTTP API says no: the closed list of `code`, each with its status and title. */
export const PROBLEMS = {
  malformed_request: [400, "The request cannot be read"],
  malformed_body: [400, "The body cannot be read"],
  invalid_body: [400, "The body does not fit the schema"],
  unknown_parameter: [400, "There is no such parameter"],
  invalid_parameter: [400, "A parameter is missing or has a value that it cannot have"],
  invalid_cursor: [400, "The cursor is not one that this list gave"],
  unauthorized: [401, "A valid credential is needed"],
  forbidden: [403, "The credential does not allow this"],
  names_hidden: [403, "The tenant hides names"],
  ranking_off: [403, "The tenant has ranking switched off"],
  not_found: [404, "There is nothing at this address"],
  method_not_allowed: [405, "The address does not answer to this method"],
  request_timeout: [408, "The request did not arrive in time"],
  export_not_ready: [409, "The export has not ended yet"],
  export_gone: [410, "The export has no file"],
  precondition_failed: [412, "It is no longer what the request expects"],
  body_too_large: [413, "The body is larger than the limit"],
  unsupported_media_type: [415, "The body's type or encoding is not supported"],
  range_not_satisfiable: [416, "The file has no such bytes"],
  no_valid_event: [422, "None of the events can be accepted"],
  too_large: [422, "The event is too large"],
  invalid_json: [422, "The event is not valid JSON"],
  tenant_mismatch: [422, "The event is another tenant's"],
  unknown_type: [422, "The event's type is not in the catalogue"],
  invalid_event: [422, "The event does not fit the contract"],
  missing_reference: [422, "The event lacks a reference that its type requires"],
  time_in_future: [422, "The event's time lies ahead"],
  too_old: [422, "The event is older than events are kept"],
  not_replayable: [422, "The message would be refused again"],
  not_grantable: [422, "The role cannot be granted this right"],
  too_much_data: [422, "The report is over more data than the limits allow"],
  idempotency_key_reused: [422, "The Idempotency-Key belongs to another request"],
  too_many_exports: [429, "The tenant has too many exports under way"],
  query_rate_limited: [429, "The key asked for too much in a short time"],
  ingest_events_limited: [429, "The key sent too many events in a short time"],
  ingest_bytes_limited: [429, "The key sent too many bytes in a short time"],
  headers_too_large: [431, "The address and the headers are longer than the limit"],
  internal: [500, "Something went wrong here"],
  unavailable: [503, "A part of the system is not available"],
  overloaded: [503, "The system is busy"],
  timeout: [503, "The answer took too long"],
} as const satisfies Readonly<Record<string, readonly [status: number, title: string]>>

export type ProblemCode = keyof typeof PROBLEMS
export const PROBLEM_CODES = Object.keys(PROBLEMS) as ReadonlyArray<ProblemCode>

export const problemType = (code: ProblemCode): string => `urn:tidemark:problem:${code}`

/** Why one event of a batch was refused. */
export const RejectedEvent = Schema.Struct({
  index: Schema.Int.annotate({ description: "Its place in the batch, from 0; blank lines do not count." }),
  id: Schema.NullOr(Schema.String).annotate({ description: "Its id, null when it cannot be read." }),
  code: Schema.Literals(PROBLEM_CODES),
  detail: Schema.String,
}).annotate({ identifier: "RejectedEvent" })
export type RejectedEvent = typeof RejectedEvent.Type

/** RFC 9457 problem details. */
export const Problem = Schema.Struct({
  type: Schema.String,
  title: Schema.String,
  status: Schema.Int,
  code: Schema.Literals(PROBLEM_CODES),
  detail: Schema.String.annotate({ description: "What is wrong with this request." }),
  hint: Schema.optionalKey(Schema.String.annotate({ description: "What to do about it." })),
  request_id: Schema.String,
  errors: Schema.optionalKey(
    Schema.Array(Schema.Struct({ parameter: Schema.String, detail: Schema.String })).annotate({
      description: "Every parameter that is wrong.",
    }),
  ),
  rejected: Schema.optionalKey(Schema.Array(RejectedEvent)),
  checks: Schema.optionalKey(
    Schema.Record(Schema.String, Schema.String).annotate({ description: "What each part said." }),
  ),
}).annotate({ identifier: "Problem" })
export type Problem = typeof Problem.Type
