import { Schema } from "effect"
import { ActionsParameters } from "./report-actions.ts"
import { isRange } from "./report-range.ts"
import { UsersParameters } from "./report-user-insights.ts"

export const EXPORT_FORMATS = ["csv", "ndjson", "parquet", "xlsx"] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

/** Every state that a job can be in; the last four are final. */
export const EXPORT_STATES = ["queued", "running", "completed", "failed", "canceled", "expired"] as const

const CsvOptions = Schema.Struct({
  defuse: Schema.optionalKey(
    Schema.Boolean.annotate({
      description:
        "A cell that begins with = + - @, a tab, a line feed, a carriage return or NUL gets a leading ', so that no spreadsheet that takes commas for separators takes it for a formula. True when absent; false lets telephone numbers through as they are.",
    }),
  ),
  bom: Schema.optionalKey(
    Schema.Boolean.annotate({ description: "Begin with a byte order mark. False when absent." }),
  ),
})

const fileFields = {
  format: Schema.Literals(EXPORT_FORMATS),
  gzip: Schema.optionalKey(
    Schema.Boolean.annotate({
      description: "Compress the file; for csv and ndjson, the others are compressed already.",
    }),
  ),
  csv: Schema.optionalKey(CsvOptions.annotate({ description: "For csv alone." })),
} as const

const { cursor: _cursor, limit: _limit, ...actionFilters } = ActionsParameters.fields
const {
  cursor: __cursor,
  limit: __limit,
  sort: _sort,
  targets: _targets,
  ...userFilters
} = UsersParameters.fields

const isFile = Schema.makeFilter(
  ({
    format,
    gzip,
    csv,
  }: {
    readonly format: ExportFormat
    readonly gzip?: boolean
    readonly csv?: object
  }) => {
    if (gzip === true && format !== "csv" && format !== "ndjson")
      return { path: ["gzip"], issue: `Leave it out: ${format} is compressed already` }
    if (csv !== undefined && format !== "csv")
      return { path: ["csv"], issue: `Leave it out: these are options of csv, and the format is ${format}` }
    return undefined
  },
)

/** The action log of a range, newest first: every stored event, automated and impersonated ones too. */
export const UserActionsRequest = Schema.Struct({
  report: Schema.Literal("user_actions"),
  ...actionFilters,
  ...fileFields,
}).check(isRange, isFile)
export type UserActionsRequest = typeof UserActionsRequest.Type

/** The users report whole, by user id. */
export const UserInsightsRequest = Schema.Struct({
  report: Schema.Literal("user_insights"),
  ...userFilters,
  ...fileFields,
}).check(isRange, isFile)
export type UserInsightsRequest = typeof UserInsightsRequest.Type

/** What is asked of `POST /v1/exports`. */
export const ExportRequest = Schema.Union([UserActionsRequest, UserInsightsRequest]).annotate({
  identifier: "ExportRequest",
  message: "Expected a report that is user_actions or user_insights",
})
export type ExportRequest = typeof ExportRequest.Type

/** Whose data the file may hold: that of whoever asked, at the time of asking. */
export const Scope = Schema.Union([
  Schema.Struct({ kind: Schema.Literal("everybody") }),
  Schema.Struct({ kind: Schema.Literals(["teams_of", "self"]), user: Schema.String }),
])

const Natural = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/** A place in the stream of a tenant's actions: nothing that was received after it is in what was pinned there. */
export const Pin = Schema.Struct({
  /** Absent in what was pinned while there was one. */
  stream: Schema.optionalKey(Schema.String),
  generation: Natural.check(Schema.isLessThan(2 ** 32)),
  sequence: Natural,
  /** When it was, milliseconds since 1970: for rows that came by other streams, at other numbers of partitions. */
  at: Schema.optionalKey(Natural.check(Schema.isLessThan(Date.UTC(2200, 0)))),
})
export type Pin = typeof Pin.Type

/**
 * What a file is made from. Everything that a second run must find again stands here; names, e-mail addresses, teams and
 * licences are the directory's at the time of the run.
 */
export const Snapshot = Schema.Struct({
  tenant: Schema.String,
  from: Schema.String,
  to: Schema.String,
  zone: Schema.String,
  /** The instant of asking, milliseconds since 1970: a range that has not ended ends here. */
  now: Schema.Int,
  /** No event after this place of the stream is in the file. */
  pin: Pin,
  scope: Scope,
  /** Names and e-mail addresses are left empty. */
  hide_names: Schema.Boolean,
})
export type Snapshot = typeof Snapshot.Type
