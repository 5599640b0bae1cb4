import { Schema } from "effect"
import { isRange, metaFields, wholeNumber } from "./report-range.ts"
import { populationFields } from "./report-user-insights.ts"

export const MAX_ADOPTION_WEEKS = 52

export const AdoptionParameters = Schema.Struct({
  ...populationFields,
  weeks: Schema.optionalKey(
    wholeNumber(1, MAX_ADOPTION_WEEKS).annotate({
      description: "How many weeks since the first licence are looked at; 12 when absent.",
    }),
  ),
}).check(isRange)
export type AdoptionParameters = typeof AdoptionParameters.Type

const Share = Schema.NullOr(Schema.Finite)

export const Cohort = Schema.Struct({
  cohort: Schema.String.annotate({
    description:
      "The first day within the range of the week, from Monday, in which the first licences began.",
  }),
  users: Schema.Int.annotate({
    description: "Members whose first licence ever (assigned or enabled) began in this week, up to now.",
  }),
  ever_active: Schema.Int.annotate({
    description:
      "Of them, those who were active on the day of the first licence or later, within the weeks that are looked at. Active as in active_users.",
  }),
  median_days_to_first_action: Share.annotate({
    description:
      "Median over ever_active of the calendar days from the first licence to the first active day; 0 is the same day. Null when nobody was active.",
  }),
  active_first_week: Schema.Int.annotate({
    description: "Active on the day of the first licence or one of the six after it.",
  }),
  share_active_first_week: Share.annotate({ description: "active_first_week / users; null without users." }),
  first_week_under_way: Schema.Int.annotate({
    description:
      "Of the users, those whose first seven days have not all passed: they may still become active.",
  }),
  weeks: Schema.Array(
    Schema.Struct({
      week: Schema.Int.annotate({
        description:
          "0: the first seven days, from the day of each user's first licence; 1: the next seven; …",
      }),
      reached: Schema.Int.annotate({ description: "Users for whom the first of the seven days has come." }),
      active: Schema.Int.annotate({ description: "Of them, those active on one of the seven days." }),
      share: Share.annotate({ description: "active / reached." }),
    }),
  ).annotate({ description: "Up to the last week that anybody has reached." }),
}).annotate({ identifier: "Cohort" })
export type Cohort = typeof Cohort.Type

export const Adoption = Schema.Struct({
  data: Schema.Array(Cohort),
  meta: Schema.Struct(metaFields),
}).annotate({ identifier: "Adoption" })
