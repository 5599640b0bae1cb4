import { Schema } from "effect"
import { ClickHouseError, type ClickHouseReason } from "#clickhouse"
import type { NatsError } from "#nats/connection.ts"
import { PublishError } from "#nats/publisher.ts"
import { type Problem, PROBLEM_CODES, type ProblemCode, PROBLEMS, problemType } from "#schemas/problem.ts"

/** A request that is refused, by a code of the closed list. */
export class Refused extends Schema.TaggedError<Refused>()("Refused", {
  code: Schema.Literals(PROBLEM_CODES),
  detail: Schema.String,
  more: Schema.optionalKey(Schema.Unknown),
  headers: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
}) {}

/** Further members of the problem. */
export type More = Partial<Pick<Problem, "hint" | "errors" | "rejected" | "checks">>

export const refuse = (
  code: ProblemCode,
  detail: string,
  more: More = {},
  headers: Readonly<Record<string, string>> = {},
): Refused => new Refused({ code, detail, more, headers })

/** The request outlived its time. */
export class Late extends Schema.TaggedError<Late>()("Late", {}) {}

export type Failure = Refused | Late | ClickHouseError | NatsError | PublishError

const AGAIN = { "Retry-After": "2" }
const STORE_AWAY = refuse("unavailable", "The store does not answer at the moment.", {}, AGAIN)
const TOO_MUCH = refuse("too_much_data", "The report is over more data than one request may read.", {
  hint: "Ask for a shorter range or fewer people.",
})
/** An error that is none of the client's business. */
export const INTERNAL = refuse("internal", "The error is in the server's log under this request id.")

/** What of the store's errors a client may know. Its own messages can quote rows of other people. */
const BY_REASON: Readonly<Partial<Record<ClickHouseReason, Refused>>> = {
  unavailable: STORE_AWAY,
  canceled: STORE_AWAY,
  overloaded: refuse("overloaded", "The store is busy.", {}, AGAIN),
  time_limit: TOO_MUCH,
  row_limit: TOO_MUCH,
  memory_limit: TOO_MUCH,
}

const UNACKNOWLEDGED = refuse(
  "unavailable",
  "The stream did not acknowledge the events.",
  { hint: "Send them again with the same ids: what is stored already counts once." },
  AGAIN,
)
const LATE = refuse("timeout", "The answer was not ready in time.", {}, AGAIN)
const BROKER_AWAY = refuse("unavailable", "The message broker does not answer at the moment.", {}, AGAIN)

/** The refusal that a client sees of any failure. */
export const refusalOf = (failure: Failure): Refused => {
  if (failure instanceof Refused) return failure
  if (failure instanceof ClickHouseError) return BY_REASON[failure.reason] ?? INTERNAL
  if (failure instanceof PublishError) return UNACKNOWLEDGED
  return failure instanceof Late ? LATE : BROKER_AWAY
}

/** The body and headers of the answer. */
export const problemOf = (refused: Refused, requestId: string): Problem => {
  const [status, title] = PROBLEMS[refused.code]
  return {
    type: problemType(refused.code),
    title,
    status,
    code: refused.code,
    detail: refused.detail,
    ...(refused.more as More | undefined),
    request_id: requestId,
  }
}
