import { Effect } from "effect"
import { Licenses, LicensesParameters } from "#schemas/report-licenses.ts"
import { ok } from "../http/answer.ts"
import { type Call, type Route, route } from "../http/endpoint.ts"
import { readLicenses } from "../queries/licenses.ts"
import { metaOf, openReport } from "../queries/report.ts"

const licenses = route(
  {
    method: "GET",
    path: "/v1/reports/licenses",
    summary: "Licences: live, active, inactive, disabled, deleted, and whom to reclaim them from",
    description:
      "live + disabled + deleted are the licences that were live at some instant of the range. The page is of the inactive ones, longest idle first.",
    right: "see_insights",
    audit: "report.viewed",
    parameters: LicensesParameters,
    answers: { 200: { description: "The numbers and a page of licences to reclaim.", content: Licenses } },
    problems: ["invalid_cursor", "too_much_data"],
  },
  Effect.fn("licenses")(function* (call: Call<LicensesParameters>) {
    const { parameters, requestId } = call
    const report = yield* openReport(call)
    const { data, nextCursor, unknownActors } = yield* readLicenses(parameters, report)
    return ok({
      data,
      next_cursor: nextCursor,
      meta: { ...metaOf(report, parameters, requestId), unknown_actors: unknownActors },
    })
  }),
)

export const licenseRoutes: ReadonlyArray<Route> = [licenses]
