import { Schema } from "effect"
import { Cursor, ids, isRange, metaFields, rangeFields, values, wholeNumber } from "./report-range.ts"
import { Day, isScoped, TARGET_METRICS, TARGET_PERIODS, TARGET_SCOPES, targetFields } from "./target.ts"

const Text = Schema.NullOr(Schema.String)
const Instant = Schema.String.annotate({ format: "date-time" })
const Hundredths = Schema.Finite.annotate({ description: "In hundredths." })

/** How far somebody is, for one target or for several periods of one. */
const progressFields = {
  target: Hundredths.annotate({
    description:
      "What is to be reached on these days: of a week or month that the range cuts, the share of its calendar days. In hundredths.",
  }),
  due: Hundredths.annotate({
    description: "The same share for the days that have passed; a day passes when it ends. In hundredths.",
  }),
  actual: Schema.Int.annotate({
    description: "What was done on the days for which there is a target, today included.",
  }),
  difference: Hundredths.annotate({ description: "actual - due." }),
  on_track: Schema.Boolean.annotate({ description: "actual is at least due." }),
  reached: Schema.Boolean.annotate({ description: "actual is at least target." }),
} as const

/** The progress of a user or team over the range of a report. */
const TargetProgress = Schema.Struct({
  metric: Schema.Literals(TARGET_METRICS),
  period: Schema.Literals(TARGET_PERIODS),
  ...progressFields,
}).annotate({ identifier: "TargetProgress" })
export type TargetProgress = typeof TargetProgress.Type

/** The parameter with which a report says how far each row is. */
export const withTargets = {
  targets: Schema.optionalKey(
    Schema.Literals(["true", "false"]).annotate({
      description: "true: each row says how far its targets are reached. false when absent.",
    }),
  ),
} as const

/** What they add to a row. */
export const targetsOfRow = {
  targets: Schema.optionalKey(
    Schema.Array(TargetProgress).annotate({
      description:
        "With targets=true: by metric and period what the range asks for and how far it is reached. Weeks or months without a target are in none of its numbers. Of a team it is the whole team, whatever the filters.",
    }),
  ),
} as const

const metric = Schema.optionalKey(values(Schema.Literals(TARGET_METRICS), "Targets for these metrics."))
const period = Schema.optionalKey(
  Schema.Literals(TARGET_PERIODS).annotate({
    description: "Targets by the week, or by the month, alone; both when absent.",
  }),
)

const OF_USERS = "Not with subject=team: a team's target is compared with the whole team."

export const TargetReportParameters = Schema.Struct({
  ...rangeFields,
  subject: Schema.optionalKey(
    Schema.Literals(["user", "team"]).annotate({
      description:
        "user (default): each member with the target that applies. team: each team with the target of its sum.",
    }),
  ),
  team_id: Schema.optionalKey(ids("These teams, or their members.")),
  user_email: Schema.optionalKey(ids(`Members with these e-mail addresses. ${OF_USERS}`)),
  user_id: Schema.optionalKey(ids(`These members. ${OF_USERS}`)),
  metric,
  period,
  limit: Schema.optionalKey(wholeNumber(1, 1000).annotate({ description: "100 when absent." })),
  cursor: Schema.optionalKey(Cursor),
})
  .check(isRange)
  .check(
    Schema.makeFilter((asked) => {
      if (asked.subject !== "team") return undefined
      const field = (["user_id", "user_email"] as const).find((name) => asked[name] !== undefined)
      return field === undefined
        ? undefined
        : { path: [field], issue: "Leave it out: with subject=team there is no filter by user" }
    }),
  )
export type TargetReportParameters = typeof TargetReportParameters.Type

/** A user or team in one week or month, clipped to the range. */
export const TargetRow = Schema.Struct({
  subject: Schema.Literals(["user", "team"]),
  id: Schema.String,
  name: Text.annotate({ description: "As the directory has it now." }),
  metric: Schema.Literals(TARGET_METRICS),
  period: Schema.Literals(TARGET_PERIODS),
  period_start: Schema.String.annotate({
    description: "The first day of the whole week or month; the target in force on it applies.",
  }),
  from: Schema.String.annotate({ description: "The first of its days within the range." }),
  to: Schema.String.annotate({ description: "The last of its days within the range." }),
  days: Schema.Int,
  days_passed: Schema.Int,
  value: Schema.Int.annotate({ description: "The target of the whole week or month." }),
  scope: Schema.Literals(TARGET_SCOPES).annotate({ description: "For whom that target was set." }),
  scope_id: Text,
  ...progressFields,
}).annotate({ identifier: "TargetRow" })
export type TargetRow = typeof TargetRow.Type

export const TargetReport = Schema.Struct({
  data: Schema.Array(TargetRow),
  next_cursor: Text,
  meta: Schema.Struct(metaFields),
}).annotate({ identifier: "TargetReport" })

const listFields = {
  metric,
  period,
  scope: Schema.optionalKey(values(Schema.Literals(TARGET_SCOPES), "Targets of these scopes.")),
  user_id: Schema.optionalKey(ids("Targets of these members alone.")),
  team_id: Schema.optionalKey(ids("Targets of these teams, and of each of their members.")),
  limit: Schema.optionalKey(wholeNumber(1, 1000).annotate({ description: "100 when absent." })),
  cursor: Schema.optionalKey(Cursor),
} as const

export const TargetsParameters = Schema.Struct({
  on: Schema.optionalKey(
    Day.annotate({ description: "As they hold on this day; today in the tenant's zone when absent." }),
  ),
  ...listFields,
})
export type TargetsParameters = typeof TargetsParameters.Type

export const TargetHistoryParameters = Schema.Struct(listFields)
export type TargetHistoryParameters = typeof TargetHistoryParameters.Type

const versionFields = {
  id: Schema.String.annotate({ description: "Of the event that set it." }),
  metric: Schema.String,
  period: Schema.Literals(TARGET_PERIODS),
  scope: Schema.Literals(TARGET_SCOPES),
  user_id: Text,
  team_id: Text,
  name: Text.annotate({ description: "Of the user or team, as the directory has it now." }),
  holds_from: Schema.String,
  set_at: Instant,
  set_by: Text.annotate({
    description: "The user whose key set it, or the key's id; what a producer says of its own events.",
  }),
} as const

const listMeta = Schema.Struct({
  time_zone: Schema.String,
  data_through: metaFields.data_through,
  filters: metaFields.filters,
  request_id: Schema.String,
})

export const Target = Schema.Struct({ ...versionFields, value: Schema.Int }).annotate({
  identifier: "Target",
})
export const Targets = Schema.Struct({
  data: Schema.Array(Target),
  next_cursor: Text,
  meta: listMeta,
}).annotate({ identifier: "Targets" })

/** A version that was set, replaced or not; one without a value ended the target. */
export const TargetVersion = Schema.Struct({ ...versionFields, value: targetFields.value }).annotate({
  identifier: "TargetVersion",
})
export type TargetVersion = typeof TargetVersion.Type
export const TargetHistory = Schema.Struct({
  data: Schema.Array(TargetVersion),
  next_cursor: Text,
  meta: listMeta,
}).annotate({ identifier: "TargetHistory" })

export const NewTarget = Schema.Struct({
  ...targetFields,
  holds_from: Schema.optionalKey(
    Day.annotate({
      description:
        "It holds for the weeks or months whose first day is this day or later. When absent: the first day of the present week or month in the tenant's zone.",
    }),
  ),
})
  .check(isScoped)
  .annotate({ identifier: "NewTarget" })
export type NewTarget = typeof NewTarget.Type

export const TargetSet = Schema.Struct({
  id: Schema.String,
  ...targetFields,
  holds_from: Schema.String,
  set_at: Instant,
  set_by: Schema.String,
}).annotate({ identifier: "TargetSet" })
