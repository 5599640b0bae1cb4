import { ClickHouseError as ServerError } from "@clickhouse/client"
import { Schema } from "effect"

/**
 * What went wrong at the store, by the server's numeric code (src/Common/ErrorCodes.cpp of ClickHouse):
 * - `unavailable`: no answer, or the connection broke; whether the statement ran is unknown.
 * - `deadline_passed`: the fence of an insert refused it; nothing was inserted.
 * - `row_refused`: a value or a constraint; the same rows will be refused again.
 * - `overloaded`: too many parts, queries or bytes at the moment.
 * - `time_limit`, `row_limit`, `memory_limit`: a limit of the user's profile.
 * - `canceled`: killed by KILL QUERY or by a closed connection.
 * - `denied`: credentials or grants.
 * - `schema`: a table, column or database is missing or differs; `tidemark migrate` creates them.
 * - `read_only`: disk full or table read-only.
 * - `other`: any code beyond these.
 */
export const REASONS = [
  "unavailable",
  "deadline_passed",
  "row_refused",
  "overloaded",
  "time_limit",
  "row_limit",
  "memory_limit",
  "canceled",
  "denied",
  "schema",
  "read_only",
  "other",
] as const
export type ClickHouseReason = (typeof REASONS)[number]

const REASON_BY_CODE: ReadonlyMap<number, ClickHouseReason> = new Map([
  [395, "deadline_passed"], // FUNCTION_THROW_IF_VALUE_IS_NON_ZERO
  [469, "row_refused"], // VIOLATED_CONSTRAINT
  [6, "row_refused"], // CANNOT_PARSE_TEXT
  [26, "row_refused"], // CANNOT_PARSE_QUOTED_STRING
  [27, "row_refused"], // CANNOT_PARSE_INPUT_ASSERTION_FAILED
  [38, "row_refused"], // CANNOT_PARSE_DATE
  [41, "row_refused"], // CANNOT_PARSE_DATETIME
  [53, "row_refused"], // TYPE_MISMATCH
  [69, "row_refused"], // ARGUMENT_OUT_OF_BOUND
  [70, "row_refused"], // CANNOT_CONVERT_TYPE
  [72, "row_refused"], // CANNOT_PARSE_NUMBER
  [117, "row_refused"], // INCORRECT_DATA
  [321, "row_refused"], // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
  [349, "row_refused"], // CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
  [202, "overloaded"], // TOO_MANY_SIMULTANEOUS_QUERIES
  [252, "overloaded"], // TOO_MANY_PARTS
  [159, "time_limit"], // TIMEOUT_EXCEEDED
  [160, "time_limit"], // TOO_SLOW
  [158, "row_limit"], // TOO_MANY_ROWS
  [307, "row_limit"], // TOO_MANY_BYTES
  [396, "row_limit"], // TOO_MANY_ROWS_OR_BYTES
  [241, "memory_limit"], // MEMORY_LIMIT_EXCEEDED
  [394, "canceled"], // QUERY_WAS_CANCELLED
  [734, "canceled"], // QUERY_WAS_CANCELLED_BY_CLIENT
  [192, "denied"], // UNKNOWN_USER
  [193, "denied"], // WRONG_PASSWORD
  [194, "denied"], // REQUIRED_PASSWORD
  [497, "denied"], // ACCESS_DENIED
  [516, "denied"], // AUTHENTICATION_FAILED
  [16, "schema"], // NO_SUCH_COLUMN_IN_TABLE
  [47, "schema"], // UNKNOWN_IDENTIFIER
  [60, "schema"], // UNKNOWN_TABLE
  [81, "schema"], // UNKNOWN_DATABASE
  [164, "read_only"], // READONLY
  [242, "read_only"], // TABLE_IS_READ_ONLY
  [243, "read_only"], // NOT_ENOUGH_SPACE
  [209, "unavailable"], // SOCKET_TIMEOUT
  [210, "unavailable"], // NETWORK_ERROR
  [236, "unavailable"], // ABORTED
  [425, "unavailable"], // SYSTEM_ERROR
  [74, "unavailable"], // CANNOT_READ_FROM_FILE_DESCRIPTOR
  [75, "unavailable"], // CANNOT_WRITE_TO_FILE_DESCRIPTOR
  [76, "unavailable"], // CANNOT_OPEN_FILE
  [173, "unavailable"], // CANNOT_ALLOCATE_MEMORY
  [439, "unavailable"], // CANNOT_SCHEDULE_TASK
  [1000, "unavailable"], // POCO_EXCEPTION
  [1001, "unavailable"], // STD_EXCEPTION
  [1002, "unavailable"], // UNKNOWN_EXCEPTION
])

export class ClickHouseError extends Schema.TaggedError<ClickHouseError>()("ClickHouseError", {
  reason: Schema.Literals(REASONS),
  /** The server's code; undefined when no server answered. */
  code: Schema.optionalKey(Schema.Int),
  /** The code's name, or the network's. It never holds a value of a row. */
  detail: Schema.String,
}) {
  override get message(): string {
    return `ClickHouse: ${this.reason.replaceAll("_", " ")} (${this.detail})`
  }
}

/**
 * The typed error of whatever the client threw. The server's own message may quote a customer's row; it is kept
 * as a property that no logger enumerates.
 */
export const toClickHouseError = (thrown: unknown): ClickHouseError => {
  const error =
    thrown instanceof ServerError
      ? new ClickHouseError({
          reason: REASON_BY_CODE.get(Number(thrown.code)) ?? "other",
          code: Number(thrown.code),
          detail: thrown.type ?? `code ${thrown.code}`,
        })
      : new ClickHouseError({
          reason: "unavailable",
          detail: (thrown as NodeJS.ErrnoException).code ?? (thrown as Error).message,
        })
  Object.defineProperty(error, "serverMessage", {
    value: thrown instanceof Error ? thrown.message : String(thrown),
    enumerable: false,
  })
  return error
}
