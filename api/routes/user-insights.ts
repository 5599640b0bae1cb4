import { Effect } from "effect"
import {
  Summary,
  SummaryParameters,
  Timeseries,
  TimeseriesParameters,
  Users,
  UsersParameters,
} from "#schemas/report-user-insights.ts"
import { ok } from "../http/answer.ts"
import { type Call, type Route, route } from "../http/endpoint.ts"
import { metaOf, openReport } from "../queries/report.ts"
import { readComparedSummary } from "../queries/summary.ts"
import { readTimeseries } from "../queries/timeseries.ts"
import { readUserPage } from "../queries/user-page.ts"

const PATH = "/v1/reports/user-insights"

const summary = route(
  {
    method: "GET",
    path: `${PATH}/summary`,
    summary: "Licences, active users and every metric over a range",
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
    problems: ["invalid_cursor", "too_much_data"],
  },
  Effect.fn("users")(function* (call: Call<UsersParameters>) {
    const { parameters, requestId } = call
    const report = yield* openReport(call)
    const page = yield* readUserPage(parameters, report)
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

export const userInsightsRoutes: ReadonlyArray<Route> = [summary, users, timeseries]
