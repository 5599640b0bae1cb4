import { Effect } from "effect"
import {
  Summary,
  SummaryParameters,
  Teams,
  TeamsParameters,
  Timeseries,
  TimeseriesParameters,
  Users,
  UsersParameters,
} from "#schemas/report-user-insights.ts"
import { ok } from "../http/answer.ts"
import { type Call, type Route, route } from "../http/endpoint.ts"
import { refuseRankingBy } from "../queries/ranking.ts"
import { metaOf, openReport, refuseOrderByName } from "../queries/report.ts"
import { readComparedSummary } from "../queries/summary.ts"
import { readTeamPage } from "../queries/teams.ts"
import { readTimeseries } from "../queries/timeseries.ts"
import { readUserPage } from "../queries/user-page.ts"

const PATH = "/v1/reports/user-insights"

const summary = route(
  {
    method: "GET",
    path: `${PATH}/summary`,
    summary: "Licences, active users and every metric over a range",
    description:
      'Over the population: the directory\'s users of kind member, after the filters (a list is an "or", several are an "and"; teams are those of now). Events count by their time, of members alone, without automated and impersonated ones.',
    right: "see_insights",
    audit: "report.viewed",
    parameters: SummaryParameters,
    answers: { 200: { description: "The numbers.", content: Summary } },
    problems: ["too_much_data"],
  },
  Effect.fn("summary")(function* (call: Call<SummaryParameters>) {
    const { parameters, requestId } = call
    const report = yield* openReport(call)
    const { data, meta } = yield* readComparedSummary(parameters, report)
    return ok({ data, meta: { ...metaOf(report, parameters, requestId), ...meta } })
  }),
)

const users = route(
  {
    method: "GET",
    path: `${PATH}/users`,
    summary: "One row a user: identity, teams, licence, last activity, every metric",
    description:
      "Members who had a live licence at some instant of the range or did something in it. Pages sorted by a metric are live.",
    right: "see_insights",
    audit: "report.viewed",
    parameters: UsersParameters,
    answers: { 200: { description: "A page of users.", content: Users } },
    problems: ["invalid_cursor", "ranking_off", "too_much_data"],
  },
  Effect.fn("users")(function* (call: Call<UsersParameters>) {
    const { parameters, requestId } = call
    const report = yield* openReport(call)
    yield* refuseRankingBy(report, parameters.sort)
    yield* refuseOrderByName(report, parameters.sort)
    const page = yield* readUserPage(parameters, report)
    return ok({
      data: page.rows,
      next_cursor: page.nextCursor,
      meta: { ...metaOf(report, parameters, requestId), unknown_actors: page.unknownActors },
    })
  }),
)

const teams = route(
  {
    method: "GET",
    path: `${PATH}/teams`,
    summary: "One row a team: users, licences, every metric and its share",
    description:
      "The teams that have a member in the population, as the directory has them now, and a row without team_id for the members who are in none. Who is in two teams counts in both, so shares are of the sum of the rows. With team_id only the teams named are rows; whoever sees their own teams only sees rows of these.",
    right: "see_insights",
    audit: "report.viewed",
    parameters: TeamsParameters,
    answers: { 200: { description: "A page of teams.", content: Teams } },
    problems: ["invalid_cursor", "too_much_data"],
  },
  Effect.fn("teams")(function* (call: Call<TeamsParameters>) {
    const { parameters, requestId } = call
    const report = yield* openReport(call)
    const page = yield* readTeamPage(parameters, report)
    return ok({
      data: page.rows,
      next_cursor: page.nextCursor,
      meta: { ...metaOf(report, parameters, requestId), unknown_actors: page.unknownActors },
    })
  }),
)

const timeseries = route(
  {
    method: "GET",
    path: `${PATH}/timeseries`,
    summary: "Metrics by day, week or month, zeros included",
    description:
      "Over the population of the summary. Days of the range that are still to come are listed, too, with 0.",
    right: "see_insights",
    audit: "report.viewed",
    parameters: TimeseriesParameters,
    answers: { 200: { description: "One row an interval.", content: Timeseries } },
    problems: ["too_much_data"],
  },
  Effect.fn("timeseries")(function* (call: Call<TimeseriesParameters>) {
    const { parameters, requestId } = call
    const report = yield* openReport(call)
    const { points, unknownActors } = yield* readTimeseries(parameters, report)
    return ok({
      data: points,
      meta: { ...metaOf(report, parameters, requestId), unknown_actors: unknownActors },
    })
  }),
)

export const userInsightsRoutes: ReadonlyArray<Route> = [summary, users, teams, timeseries]
