import { Effect } from "effect"
import { DataQuality } from "#schemas/report-data-quality.ts"
import { ok } from "../http/answer.ts"
import { type Call, type Route, route } from "../http/endpoint.ts"
import { readDataQuality } from "../queries/data-quality.ts"

const dataQuality = route(
  {
    method: "GET",
    path: "/v1/data-quality",
    summary: "How right the numbers are: what audits proved, and what the pipeline could not prove",
    description:
      "Audits compare the streams with the raw table, and the raw table with every rollup. Figures and details are shown to the operator alone, since streams and months are shared by all tenants.",
    right: "see_data_quality",
    answers: { 200: { description: "What is proved, and what is not.", content: DataQuality } },
  },
  Effect.fn("dataQuality")(function* ({ credential, requestId }: Call<unknown>) {
    const data = yield* readDataQuality(credential.role === "operator")
    return ok({ data, meta: { request_id: requestId } })
  }),
)

export const dataQualityRoutes: ReadonlyArray<Route> = [dataQuality]
