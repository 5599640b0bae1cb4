import { Schema } from "effect"
import { isRange } from "./report-range.ts"
import { pageFields, populationFields, TeamsOfUser, UserInsightsMeta } from "./report-user-insights.ts"

export const LicensesParameters = Schema.Struct({ ...populationFields, ...pageFields }).check(isRange)
export type LicensesParameters = typeof LicensesParameters.Type

const Instant = Schema.NullOr(Schema.String.annotate({ format: "date-time" }))

export const ReclaimableLicense = Schema.Struct({
  user_id: Schema.String,
  name: Schema.NullOr(Schema.String),
  email: Schema.NullOr(Schema.String),
  teams: TeamsOfUser,
  live_since: Schema.String.annotate({
    format: "date-time",
    description: "Since when the licence has been live without a break.",
  }),
  last_activity_ever_at: Instant.annotate({
    description:
      "Latest event ever whose action makes a member active, also one after the range; null when there is none.",
  }),
  idle_days: Schema.NullOr(Schema.Int).annotate({
    description:
      "Calendar days from last_activity_ever_at to the end of the range, or to today; null when there was no activity, below 0 when it was after the range.",
  }),
}).annotate({ identifier: "ReclaimableLicense" })
export type ReclaimableLicense = typeof ReclaimableLicense.Type

export const Licenses = Schema.Struct({
  data: Schema.Struct({
    live: Schema.Int.annotate({
      description: "total_licenses of the summary: live at the end of the range.",
    }),
    active: Schema.Int.annotate({
      description: "active_licenses of the summary: of the live, those of active users.",
    }),
    inactive: Schema.Int.annotate({ description: "live - active: the licences to reclaim." }),
    disabled: Schema.Int.annotate({
      description: "Live at some instant of the range and disabled at its end.",
    }),
    deleted: Schema.Int.annotate({
      description: "Live at some instant of the range and deleted at its end.",
    }),
    reclaim: Schema.Array(ReclaimableLicense).annotate({
      description:
        "A page of the inactive, longest idle first: those never active, then by last activity; ties by user_id.",
    }),
  }),
  next_cursor: Schema.NullOr(Schema.String),
  meta: UserInsightsMeta,
}).annotate({ identifier: "Licenses" })
