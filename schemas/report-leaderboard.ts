import { Schema } from "effect"
import { METRICS } from "./catalogue.ts"
import { ids, isRange } from "./report-range.ts"
import { pageFields, populationFields, TeamsOfUser, UserInsightsMeta } from "./report-user-insights.ts"

export const RANKED = ["user", "team"] as const

export const LeaderboardParameters = Schema.Struct({
  ...populationFields,
  user_email: Schema.optionalKey(
    ids("Rows of members with these e-mail addresses, with the rank that they have among all."),
  ),
  user_id: Schema.optionalKey(
    ids("Rows of these members, with the rank that they have among all. By team: the value is theirs alone."),
  ),
  metric: Schema.Literals([...METRICS, "active_days"]).annotate({
    description: "What is ranked by: a metric of the catalogue, or the days on which somebody was active.",
  }),
  by: Schema.optionalKey(
    Schema.Literals(RANKED).annotate({
      description:
        "user when absent. A team's value is the sum over its members; who is in two teams counts in both, who is in none in none.",
    }),
  ),
  ...pageFields,
}).check(isRange)
export type LeaderboardParameters = typeof LeaderboardParameters.Type

const Rank = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))
const Name = Schema.NullOr(Schema.String)

export const LeaderboardRow = Schema.Struct({
  rank: Rank.annotate({
    description:
      "1 and the number of those with a greater value: who is equal shares a rank, and the ranks after it are left out (1, 2, 2, 4). Equal ones are in order of their ids.",
  }),
  percentile: Schema.NullOr(Schema.Finite).annotate({
    description: "Of 100 others, how many have a smaller value: 0 to 100. Null when there is no other.",
  }),
  value: Schema.Int.annotate({ description: "The metric's sum, or the number of active days." }),
  previous_value: Schema.NullOr(Schema.Int).annotate({
    description: "In the period before, as compare=previous has it; null when not ranked there.",
  }),
  previous_rank: Schema.NullOr(Rank),
  rank_change: Schema.NullOr(Schema.Int).annotate({
    description: "previous_rank - rank: how many ranks up. Null when not ranked in the period before.",
  }),
  name: Name,
  user_id: Schema.optionalKey(Schema.String),
  email: Schema.optionalKey(Name),
  teams: Schema.optionalKey(TeamsOfUser),
  team_id: Schema.optionalKey(Schema.String),
}).annotate({ identifier: "LeaderboardRow" })
export type LeaderboardRow = typeof LeaderboardRow.Type

export const Leaderboard = Schema.Struct({
  data: Schema.Array(LeaderboardRow),
  next_cursor: Schema.NullOr(Schema.String),
  meta: Schema.Struct({
    ...UserInsightsMeta.fields,
    ranked: Schema.Int.annotate({ description: "How many there are to be ranked, on whatever page." }),
  }),
}).annotate({ identifier: "Leaderboard" })
