import { Schema } from "effect"
import { EXPORT_FORMATS, EXPORT_STATES, ExportRequest, Scope, Snapshot } from "./export.ts"

/** Why a job failed: the closed list. */
export const EXPORT_FAILURES = [
  /** The store would not read so much for one file. */
  "too_much_data",
  /** The store of the rows did not answer for half an hour, or refused again and again. */
  "store_unavailable",
  /** The store of the files did not take the file for half an hour. */
  "files_unavailable",
  /** One worker after the other went away in the middle. */
  "worker_lost",
  "internal",
] as const
export type ExportFailure = (typeof EXPORT_FAILURES)[number]

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
/** Milliseconds since 1970. */
const Instant = Schema.Int

/**
 * What the bucket `exports` holds of a job under `<tenant>.<id>`, changed only by compare-and-swap on its revision: so
 * a job has one owner at a time, and one end.
 */
export const ExportJob = Schema.Struct({
  id: Schema.String,
  /** Who asked: the user that the credential stands for, or the credential's own id. */
  owner: Schema.String,
  request: ExportRequest,
  /** Of everything that the asker decided: an Idempotency-Key that comes with another one is refused. */
  fingerprint: Schema.String,
  snapshot: Snapshot,
  state: Schema.Literals(EXPORT_STATES),
  /** Goes up each time a worker takes the job; with the worker's name it says whose the job is. */
  attempt: Count,
  worker: Schema.optionalKey(Schema.String),
  /** The queue's message under which it runs. */
  message: Schema.optionalKey(Count),
  /** When a store was first found away; the attempts that ended so are not counted. */
  away_since: Schema.optionalKey(Instant),
  created_at: Instant,
  started_at: Schema.optionalKey(Instant),
  ended_at: Schema.optionalKey(Instant),
  /** When the file goes, or went. */
  expires_at: Schema.optionalKey(Instant),
  /** Of the attempt that runs, or of the file. */
  rows: Count,
  bytes: Count,
  expected_rows: Schema.optionalKey(Count),
  sha256: Schema.optionalKey(Schema.String),
  /** Of a completed job, while there is one: its name in the store of the files. */
  file: Schema.optionalKey(Schema.String),
  failure: Schema.optionalKey(Schema.Literals(EXPORT_FAILURES)),
})
export type ExportJob = typeof ExportJob.Type

const Time = Schema.String.annotate({ format: "date-time" })

/** What the file is made from and how: enough to make it again, or to explain it. */
const Manifest = Schema.Struct({
  request: ExportRequest,
  from: Schema.String,
  to: Schema.String,
  time_zone: Schema.String,
  as_of: Time.annotate({
    description: "A range that has not ended ends here; ages and licences are as of here.",
  }),
  stream: Schema.Struct({ name: Schema.String, generation: Count, sequence: Count }).annotate({
    description: "No event after this place of the stream of actions is in the file.",
  }),
  scope: Scope.annotate({
    description: "Whose activity: everybody's, that of the teams of a user, or a user's own.",
  }),
  names_hidden: Schema.Boolean,
  cells_defused: Schema.Boolean.annotate({
    description: "Cells of a CSV that look like formulas begin with '.",
  }),
})

/** A job as the API shows it. */
export const Export = Schema.Struct({
  id: Schema.String,
  state: Schema.Literals(EXPORT_STATES),
  report: Schema.Literals(["user_actions", "user_insights"]),
  format: Schema.Literals(EXPORT_FORMATS),
  created_at: Time,
  created_by: Schema.String.annotate({
    description: "The user that the credential stands for, or the credential's id.",
  }),
  started_at: Schema.NullOr(Time),
  ended_at: Schema.NullOr(Time),
  expires_at: Schema.NullOr(Time).annotate({ description: "When the file goes, or went." }),
  progress: Schema.NullOr(Schema.Finite).annotate({
    description: "An estimate of the share that is done, 0 to 1; null while it is not known.",
  }),
  rows: Count.annotate({ description: "Rows written, headings aside." }),
  bytes: Count.annotate({ description: "Bytes written, after compression." }),
  sha256: Schema.NullOr(Schema.String).annotate({ description: "Of the file, in hexadecimal digits." }),
  file_name: Schema.String,
  attempts: Count,
  failure: Schema.NullOr(Schema.Literals(EXPORT_FAILURES)),
  manifest: Manifest,
}).annotate({ identifier: "Export" })
export type Export = typeof Export.Type
