import { Effect } from "effect"
import { Leaderboard, LeaderboardParameters } from "#schemas/report-leaderboard.ts"
import { ok } from "../http/answer.ts"
import { type Call, type Route, route } from "../http/endpoint.ts"
import { readLeaderboard } from "../queries/leaderboard.ts"
import { refuseRanking } from "../queries/ranking.ts"
import { metaOf, openReport } from "../queries/report.ts"

const leaderboard = route(
  {
    method: "GET",
    path: "/v1/reports/leaderboard",
    summary: "Members or teams in order of a metric, with rank, percentile and change of rank",
    description:
      "Ranked are the members who are rows of the users report, and the teams that have a member in the population; with value 0, too. A key that sees only some members, or team_id, ranks these among each other; user_id and user_email choose which of the ranked are shown. Pages are live.",
    right: "see_insights",
    audit: "report.viewed",
    parameters: LeaderboardParameters,
    answers: { 200: { description: "A page of the ranking.", content: Leaderboard } },
    problems: ["invalid_cursor", "ranking_off", "too_much_data"],
  },
  Effect.fn("leaderboard")(function* (call: Call<LeaderboardParameters>) {
    const { parameters, requestId } = call
    const report = yield* openReport(call)
    yield* refuseRanking(report)
    const { rows, nextCursor, ranked, unknownActors } = yield* readLeaderboard(parameters, report)
    return ok({
      data: rows,
      next_cursor: nextCursor,
      meta: { ...metaOf(report, parameters, requestId), unknown_actors: unknownActors, ranked },
    })
  }),
)

export const leaderboardRoutes: ReadonlyArray<Route> = [leaderboard]
