import { Effect } from "effect"
import { Adoption, AdoptionParameters } from "#schemas/report-adoption.ts"
import { ok } from "../http/answer.ts"
import { type Call, type Route, route } from "../http/endpoint.ts"
import { readAdoption } from "../queries/adoption.ts"
import { metaOf, openReport } from "../queries/report.ts"

const adoption = route(
  {
    method: "GET",
    path: "/v1/reports/adoption",
    summary: "New licences by week: first action, share active in their first week and in each week since",
    right: "see_insights",
    audit: "report.viewed",
    parameters: AdoptionParameters,
    answers: {
      200: { description: "One row a week, also when nobody got a licence in it.", content: Adoption },
    },
    problems: ["too_much_data"],
  },
  Effect.fn("adoption")(function* (call: Call<AdoptionParameters>) {
    const { parameters, requestId } = call
    const report = yield* openReport(call)
    const cohorts = yield* readAdoption(parameters, report)
    return ok({ data: cohorts, meta: metaOf(report, parameters, requestId) })
  }),
)

export const adoptionRoutes: ReadonlyArray<Route> = [adoption]
