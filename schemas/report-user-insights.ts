import { Schema } from "effect"
import { METRICS } from "./catalogue.ts"
import {
  Cursor,
  ids,
  isRange,
  metaFields,
  rangeFields,
  unknownActors,
  values,
  wholeNumber,
} from "./report-range.ts"
import { targetsOfRow, withTargets } from "./report-targets.ts"

export const LICENSE_BASES = ["end", "any", "whole"] as const
export const LICENSE_STATUSES = ["live", "disabled", "deleted", "none"] as const
export const INTERVALS = ["day", "week", "month"] as const

/** Range and population of every report over members. */
export const populationFields = {
  ...rangeFields,
  team_id: Schema.optionalKey(ids("Members of these teams, as the directory has them now.")),
  user_email: Schema.optionalKey(ids("Members with these e-mail addresses, upper and lower case alike.")),
  user_id: Schema.optionalKey(ids("These members.")),
} as const

const filterFields = {
  ...populationFields,
  license_basis: Schema.optionalKey(
    Schema.Literals(LICENSE_BASES).annotate({
      description:
        "Which licences total_licenses and active_licenses count: live at the end of the range (default), at any instant of it, or for the whole of it.",
    }),
  ),
} as const

export const pageFields = {
  limit: Schema.optionalKey(wholeNumber(1, 500).annotate({ description: "50 when absent." })),
  cursor: Schema.optionalKey(Cursor),
} as const

export const SummaryParameters = Schema.Struct({
  ...filterFields,
  compare: Schema.optionalKey(
    Schema.Literals(["previous"]).annotate({
      description:
        "Adds to each number that of the equal number of days just before and the change. Of a range that has not ended as much time is compared as has passed of it, to the millisecond; licences are looked at at the end of that time.",
    }),
  ),
}).check(isRange)
export type SummaryParameters = typeof SummaryParameters.Type

/** The users report can be sorted by these and by every metric of the catalogue. */
export const IDENTITY_SORTS = ["user_id", "name", "email", "active_days", "last_tracked_activity_at"] as const
const SORTS: ReadonlyArray<string> = [...IDENTITY_SORTS, ...METRICS]

export const UsersParameters = Schema.Struct({
  ...filterFields,
  sort: Schema.optionalKey(
    Schema.Literals([...SORTS, ...SORTS.map((sort) => `-${sort}`)]).annotate({
      description: "With - in front: descending. Ties by user_id; nulls last. user_id when absent.",
    }),
  ),
  ...withTargets,
  ...pageFields,
}).check(isRange)
export type UsersParameters = typeof UsersParameters.Type

/** The teams report can be sorted by these and by every metric of the catalogue. */
const TEAM_SORTS: ReadonlyArray<string> = [
  "team_id",
  "name",
  "users",
  "total_licenses",
  "active_users",
  "active_licenses",
  "activity_ratio",
  ...METRICS,
]

export const TeamsParameters = Schema.Struct({
  ...filterFields,
  sort: Schema.optionalKey(
    Schema.Literals([...TEAM_SORTS, ...TEAM_SORTS.map((sort) => `-${sort}`)]).annotate({
      description: "With - in front: descending. Ties by team_id; nulls last. team_id when absent.",
    }),
  ),
  ...withTargets,
  ...pageFields,
}).check(isRange)
export type TeamsParameters = typeof TeamsParameters.Type

export const TimeseriesParameters = Schema.Struct({
  ...filterFields,
  metric: Schema.optionalKey(
    values(Schema.Literals(["active_users", ...METRICS]), "Metrics of the series; active_users when absent."),
  ),
  interval: Schema.optionalKey(
    Schema.Literals(INTERVALS).annotate({
      description:
        "day when absent. Weeks begin on Monday; weeks and months at the range's ends are clipped to it.",
    }),
  ),
}).check(isRange)
export type TimeseriesParameters = typeof TimeseriesParameters.Type

const Count = Schema.Int
const Instant = Schema.NullOr(Schema.String.annotate({ format: "date-time" }))

const comparable = <Field extends Schema.Constraint>(value: Field) =>
  Schema.Struct({
    value,
    previous: Schema.optionalKey(value),
    change: Schema.optionalKey(
      Schema.NullOr(Schema.Finite).annotate({
        description: "(value - previous) / previous; null when previous is 0 or one of the two is null.",
      }),
    ),
  })
const Value = comparable(Count)
const perMetric = <Field extends Schema.Constraint>(field: Field): Readonly<Record<string, Field>> =>
  Object.fromEntries(METRICS.map((metric) => [metric, field]))

export const UserInsightsMeta = Schema.Struct({ ...metaFields, ...unknownActors })

export const Summary = Schema.Struct({
  data: Schema.Struct({
    total_licenses: Value,
    active_users: Value,
    active_licenses: Value,
    active_without_license: Value,
    activity_ratio: comparable(Schema.NullOr(Schema.Finite)).annotate({
      description: "active_licenses / total_licenses; null when there is no licence.",
    }),
    ...perMetric(Value),
  }),
  meta: Schema.Struct({
    ...metaFields,
    ...unknownActors,
    previous: Schema.optionalKey(
      Schema.Struct({
        from: Schema.String,
        to: Schema.String,
        until: Schema.String.annotate({
          format: "date-time",
          description: "The first instant that is not compared any more.",
        }),
      }).annotate({ description: "The period that the numbers are compared with." }),
    ),
  }),
}).annotate({ identifier: "Summary" })

export const TeamsOfUser = Schema.Array(
  Schema.Struct({ team_id: Schema.String, name: Schema.NullOr(Schema.String) }),
)

export const UserRow = Schema.Struct({
  user_id: Schema.String,
  name: Schema.NullOr(Schema.String).annotate({ description: "Null when the user was erased." }),
  email: Schema.NullOr(Schema.String).annotate({ description: "Null when the user was erased." }),
  teams: TeamsOfUser,
  license_status: Schema.Literals(LICENSE_STATUSES),
  is_active: Schema.Boolean,
  active_days: Count,
  last_tracked_activity_at: Instant,
  last_activity_ever_at: Instant,
  metrics: Schema.Struct(perMetric(Count)),
  ...targetsOfRow,
}).annotate({ identifier: "UserRow" })
export type UserRow = typeof UserRow.Type

export const Users = Schema.Struct({
  data: Schema.Array(UserRow),
  next_cursor: Schema.NullOr(Schema.String),
  meta: UserInsightsMeta,
}).annotate({ identifier: "Users" })

export const TeamRow = Schema.Struct({
  team_id: Schema.NullOr(Schema.String).annotate({ description: "Null: the members who are in no team." }),
  name: Schema.NullOr(Schema.String),
  users: Count.annotate({ description: "How many rows the users report has for the team." }),
  total_licenses: Count,
  active_users: Count,
  active_licenses: Count,
  activity_ratio: Schema.NullOr(Schema.Finite).annotate({
    description: "active_licenses / total_licenses; null when there is no licence.",
  }),
  metrics: Schema.Struct(perMetric(Count)),
  shares: Schema.Struct(perMetric(Schema.NullOr(Schema.Finite))).annotate({
    description:
      "Each metric divided by its sum over all rows of the report, on whatever page; null when the sum is 0.",
  }),
  ...targetsOfRow,
}).annotate({ identifier: "TeamRow" })
export type TeamRow = typeof TeamRow.Type

export const Teams = Schema.Struct({
  data: Schema.Array(TeamRow),
  next_cursor: Schema.NullOr(Schema.String),
  meta: UserInsightsMeta,
}).annotate({ identifier: "Teams" })

export const Timeseries = Schema.Struct({
  data: Schema.Array(
    Schema.StructWithRest(
      Schema.Struct({
        date: Schema.String.annotate({ description: "The interval's first day within the range." }),
      }),
      [Schema.Record(Schema.String, Schema.Union([Schema.String, Count]))],
    ),
  ),
  meta: UserInsightsMeta,
}).annotate({ identifier: "Timeseries" })
