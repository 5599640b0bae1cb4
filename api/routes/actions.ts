import { Effect, Schema } from "effect"
import { Catalogue, CATALOGUE } from "#schemas/catalogue.ts"
import { Actions, ActionsParameters } from "#schemas/report-actions.ts"
import { ok } from "../http/answer.ts"
import { type Call, type Route, route } from "../http/endpoint.ts"
import { readActionPage } from "../queries/action-page.ts"
import { metaOf, openReport } from "../queries/report.ts"

const actions = route(
  {
    method: "GET",
    path: "/v1/actions",
    summary: "The action log, newest first, with names",
    description:
      "Every stored event of the range, automated and impersonated ones too. Pages do not shift while events arrive: they show what the stream held at the time of the first.",
    right: "see_actions",
    audit: "report.viewed",
    parameters: ActionsParameters,
    answers: { 200: { description: "A page of the log.", content: Actions } },
    problems: ["invalid_cursor", "too_much_data"],
  },
  Effect.fn("actions")(function* (call: Call<ActionsParameters>) {
    const { parameters, requestId } = call
    const report = yield* openReport(call)
    const { rows, nextCursor } = yield* readActionPage(parameters, report)
    return ok({ data: rows, next_cursor: nextCursor, meta: metaOf(report, parameters, requestId) })
  }),
)

const catalog = route(
  {
    method: "GET",
    path: "/v1/catalog",
    summary: "The actions with their labels, flags and metrics",
    right: "see_catalog",
    parameters: Schema.Struct({}),
    answers: {
      200: {
        description: "The catalogue.",
        content: Schema.Struct({ version: Catalogue.fields.version, data: Catalogue.fields.actions }),
      },
    },
  },
  () => Effect.succeed(ok({ version: CATALOGUE.version, data: CATALOGUE.actions })),
)

export const actionRoutes: ReadonlyArray<Route> = [actions, catalog]
