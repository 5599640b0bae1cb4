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

/** What the numbers mean, wherever they stand. */
const MEANING = {
  total_licenses:
    "Members whose licence is live at the last instant of the range, or now when it has not ended; or by license_basis.",
  active_users:
    "Different members with at least one event in the range whose action makes a member active (GET /v1/catalog).",
  active_licenses: "Active users who are among those that total_licenses counts.",
  active_without_license: "active_users - active_licenses.",
  activity_ratio: "active_licenses / total_licenses, 0 to 1; null when there is no licence.",
  metrics:
    "By the catalogue's metrics: the sum of quantity (1 where an event names none) over the events of members in the range, without automated and impersonated ones.",
} as const

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
        "Which licences total_licenses and active_licenses count: live at the end of the range, or now when it has not ended (end, the default), at any instant of it up to then (any), or for the whole of it up to then (whole). Reports that show neither number are the same with each.",
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
      description:
        "With - in front: descending. Names and addresses without regard to case. Ties by user_id; nulls last. user_id when absent.",
    }),
  ),
  license_status: Schema.optionalKey(
    values(Schema.Literals(LICENSE_STATUSES), "Members whose license_status is one of these."),
  ),
  active: Schema.optionalKey(
    Schema.Literals(["true", "false"]).annotate({
      description: "true: active users alone; false: members who are in the report and were not active.",
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
      description:
        "With - in front: descending. Names without regard to case. Ties by team_id; nulls last. team_id when absent.",
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
        "day when absent. Weeks begin on Monday; weeks and months at the range's ends are clipped to it. active_users are different members within the interval, so those of its days do not add up to them.",
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
const valueOf = (description: string) => comparable(Count).annotate({ description })
const METRIC_VALUE =
  "The sum of quantity of this metric's action, over the events of members in the range without automated and impersonated ones."
const perMetric = <Field extends Schema.Constraint>(field: Field): Readonly<Record<string, Field>> =>
  Object.fromEntries(METRICS.map((metric) => [metric, field]))

export const UserInsightsMeta = Schema.Struct({ ...metaFields, ...unknownActors })

export const Summary = Schema.Struct({
  data: Schema.Struct({
    total_licenses: valueOf(MEANING.total_licenses),
    active_users: valueOf(MEANING.active_users),
    active_licenses: valueOf(MEANING.active_licenses),
    active_without_license: valueOf(MEANING.active_without_license),
    activity_ratio: comparable(Schema.NullOr(Schema.Finite)).annotate({
      description: MEANING.activity_ratio,
    }),
    ...perMetric(valueOf(METRIC_VALUE)),
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
  license_status: Schema.Literals(LICENSE_STATUSES).annotate({
    description: "At the end of the range, or now when it has not ended; none: never had one by then.",
  }),
  is_active: Schema.Boolean.annotate({ description: "Whether the member is among active_users." }),
  active_days: Count.annotate({
    description: "Calendar days of the report's zone with at least one event that makes a member active.",
  }),
  last_tracked_activity_at: Instant.annotate({
    description: "The latest event in the range whose action makes a member active; null when there is none.",
  }),
  last_activity_ever_at: Instant.annotate({ description: "The same whatever the range, also after it." }),
  metrics: Schema.Struct(perMetric(Count)).annotate({ description: MEANING.metrics }),
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
  total_licenses: Count.annotate({ description: MEANING.total_licenses }),
  active_users: Count.annotate({ description: MEANING.active_users }),
  active_licenses: Count.annotate({ description: MEANING.active_licenses }),
  activity_ratio: Schema.NullOr(Schema.Finite).annotate({ description: MEANING.activity_ratio }),
  metrics: Schema.Struct(perMetric(Count)).annotate({ description: MEANING.metrics }),
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
