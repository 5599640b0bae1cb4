import { Effect } from "effect"
import { ClientEngagement, ClientEngagementParameters } from "#schemas/report-clients.ts"
import { ok } from "../http/answer.ts"
import { type Call, type Route, route } from "../http/endpoint.ts"
import { readClientEngagement } from "../queries/client-engagement.ts"
import { metaOf, openReport } from "../queries/report.ts"

const engagement = route(
  {
    method: "GET",
    path: "/v1/reports/client-engagement",
    summary: "One row a client and job: profiles viewed, CVs, interviews, how far it came",
    description:
      "Clients and jobs that an event of the range names together. Automated and impersonated events do not count. Pages sorted by a number are live.",
    right: "see_clients",
    audit: "report.viewed",
    parameters: ClientEngagementParameters,
    answers: { 200: { description: "A page of clients and jobs.", content: ClientEngagement } },
    problems: ["invalid_cursor", "too_much_data"],
  },
  Effect.fn("clientEngagement")(function* (call: Call<ClientEngagementParameters>) {
    const { parameters, requestId } = call
    const report = yield* openReport(call)
    const { rows, nextCursor } = yield* readClientEngagement(parameters, report)
    return ok({ data: rows, next_cursor: nextCursor, meta: metaOf(report, parameters, requestId) })
  }),
)

export const clientRoutes: ReadonlyArray<Route> = [engagement]
