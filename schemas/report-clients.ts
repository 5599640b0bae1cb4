import { Schema } from "effect"
import { Cursor, ids, isRange, metaFields, rangeFields, values, wholeNumber } from "./report-range.ts"

/** How far a client came with a job, from nothing on; each but the first by the action that reaches it. */
export const STAGES = [
  { stage: "none", action: undefined },
  { stage: "job_posted", action: "job.posted" },
  { stage: "profile_viewed", action: "candidate_profile.viewed" },
  { stage: "cv_downloaded", action: "cv.downloaded" },
  { stage: "interview_scheduled", action: "interview.scheduled" },
  { stage: "offer_extended", action: "offer.extended" },
  { stage: "placement_created", action: "placement.created" },
] as const
const STAGE_NAMES = STAGES.map(({ stage }) => stage)
const Stage = Schema.Literals(STAGE_NAMES)
export type Stage = typeof Stage.Type

const SORTS = [
  "client_id",
  "client_name",
  "job_id",
  "job_title",
  "stage",
  "profile_views",
  "unique_profiles_viewed",
  "cv_downloads",
  "interviews_scheduled",
  "last_action_at",
] as const
export type ClientSort = (typeof SORTS)[number]

export const ClientEngagementParameters = Schema.Struct({
  ...rangeFields,
  client_id: Schema.optionalKey(ids("Rows of these clients.")),
  job_id: Schema.optionalKey(ids("Rows of these jobs.")),
  stage: Schema.optionalKey(values(Stage, "Rows whose furthest stage within the range is one of these.")),
  sort: Schema.optionalKey(
    Schema.Literals([...SORTS, ...SORTS.map((sort) => `-${sort}` as const)]).annotate({
      description:
        "With - in front: descending. Names and titles without regard to case. Ties by client_id, then job_id; nulls last. client_id when absent.",
    }),
  ),
  limit: Schema.optionalKey(wholeNumber(1, 500).annotate({ description: "50 when absent." })),
  cursor: Schema.optionalKey(Cursor),
}).check(isRange)
export type ClientEngagementParameters = typeof ClientEngagementParameters.Type

const Text = Schema.NullOr(Schema.String)
const count = (description: string) => Schema.Int.annotate({ description })

export const ClientEngagementRow = Schema.Struct({
  client_id: Schema.String,
  client_name: Text.annotate({ description: "Null when the directory does not know the client." }),
  job_id: Schema.String,
  job_title: Text.annotate({ description: "Null when the directory does not know the job." }),
  job_status: Schema.NullOr(Schema.Literals(["open", "closed"])).annotate({
    description: "As the directory has it now; null when it does not know the job.",
  }),
  profile_views: count("Sum of quantity of candidate_profile.viewed by the client's users."),
  unique_profiles_viewed: count("Different candidates of these."),
  cv_downloads: count("Sum of quantity of cv.downloaded by the client's users."),
  interviews_scheduled: count("Sum of quantity of interview.scheduled, whoever acted."),
  stage: Stage.annotate({
    description: `The furthest that any event of the range reached, whoever acted; a step that was skipped does not matter. ${STAGES.flatMap(({ stage, action }) => (action === undefined ? [] : `${stage} is reached by ${action}`)).join(", ")}; by no other action.`,
  }),
  last_action_at: Schema.String.annotate({
    format: "date-time",
    description: "The latest event of the range, of whatever action, whoever acted.",
  }),
}).annotate({ identifier: "ClientEngagementRow" })
export type ClientEngagementRow = typeof ClientEngagementRow.Type

export const ClientEngagement = Schema.Struct({
  data: Schema.Array(ClientEngagementRow),
  next_cursor: Text,
  meta: Schema.Struct(metaFields),
}).annotate({ identifier: "ClientEngagement" })
