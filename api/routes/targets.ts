import { Effect } from "effect"
import type { Publisher } from "#nats/publisher.ts"
import {
  NewTarget,
  TargetHistory,
  TargetHistoryParameters,
  TargetReport,
  TargetReportParameters,
  Targets,
  TargetSet,
  TargetsParameters,
} from "#schemas/report-targets.ts"
import { accepted, ok } from "../http/answer.ts"
import { type Call, ofTenant, type Route, route } from "../http/endpoint.ts"
import { refuse } from "../http/failure.ts"
import { targetSetter } from "../ingest/set-target.ts"
import { metaOf, type Opened, openNow, openReport } from "../queries/report.ts"
import { isKnown } from "../queries/target-known.ts"
import { readTargetHistory, readTargets } from "../queries/target-list.ts"
import { readTargetPage } from "../queries/target-page.ts"
import { dayAt } from "../queries/target-periods.ts"

const report = route(
  {
    method: "GET",
    path: "/v1/reports/targets",
    summary: "How far members or teams are with their targets, by week or month",
    description:
      "One row a member (or team), metric and week or month, by id, metric and period. The target in force on the first day of a week or month applies to all of it. A cut one counts by its share of calendar days. Members are those of the users report.",
    right: "see_insights",
    audit: "report.viewed",
    parameters: TargetReportParameters,
    answers: { 200: { description: "A page of progress.", content: TargetReport } },
    problems: ["invalid_cursor", "too_much_data"],
  },
  Effect.fn("targetReport")(function* (call: Call<TargetReportParameters>) {
    const { parameters, requestId } = call
    const opened = yield* openReport(call)
    const { rows, nextCursor } = yield* readTargetPage(parameters, opened)
    return ok({ data: rows, next_cursor: nextCursor, meta: metaOf(opened, parameters, requestId) })
  }),
)

const listMeta = ({ standing, dataThrough }: Opened, parameters: TargetsParameters, requestId: string) => {
  const { cursor: _, ...filters } = parameters
  return {
    time_zone: standing.zone,
    data_through: new Date(dataThrough).toISOString(),
    filters,
    request_id: requestId,
  }
}

const list = route(
  {
    method: "GET",
    path: "/v1/targets",
    summary: "The targets that hold on a day, and who set them",
    description:
      "Whoever does not see everybody is told the own targets, those of the own teams and their people, and everyone's.",
    right: "see_insights",
    parameters: TargetsParameters,
    answers: { 200: { description: "A page of targets.", content: Targets } },
    problems: ["invalid_cursor"],
  },
  Effect.fn("targets")(function* ({ parameters, credential, requestId }: Call<TargetsParameters>) {
    const opened = yield* openNow(credential)
    const on = parameters.on ?? dayAt(opened.now, opened.standing.zone)
    const { rows, nextCursor } = yield* readTargets(opened, parameters, on)
    return ok({ data: rows, next_cursor: nextCursor, meta: listMeta(opened, parameters, requestId) })
  }),
)

const history = route(
  {
    method: "GET",
    path: "/v1/targets/history",
    summary: "Every version of targets that was set, the newest first",
    right: "see_insights",
    parameters: TargetHistoryParameters,
    answers: { 200: { description: "A page of versions.", content: TargetHistory } },
    problems: ["invalid_cursor"],
  },
  Effect.fn("targetHistory")(function* ({
    parameters,
    credential,
    requestId,
  }: Call<TargetHistoryParameters>) {
    const opened = yield* openNow(credential)
    const { rows, nextCursor } = yield* readTargetHistory(opened, parameters)
    return ok({ data: rows, next_cursor: nextCursor, meta: listMeta(opened, parameters, requestId) })
  }),
)

const set = (publisher: Publisher) => {
  const setTarget = targetSetter(publisher)
  return route(
    {
      method: "PUT",
      path: "/v1/targets",
      summary: "Set a target, change it, or end it with the value null",
      description:
        "It recurs every week or month until it is changed. Answers when the stream has acknowledged it; lists and reports follow a moment later.",
      right: "manage_targets",
      audit: "target.changed",
      json: NewTarget,
      example: { metric: "contacts_created", period: "week", scope: "everyone", value: 10 },
      answers: { 202: { description: "The target is set.", content: TargetSet } },
    },
    Effect.fn("setTarget")(function* ({ body, credential }: Call<unknown, NewTarget>) {
      const asker = yield* ofTenant(credential)
      if (!(yield* isKnown(asker, body))) {
        const parameter = body.team_id === undefined ? "user_id" : "team_id"
        const detail = `The directory knows no such ${body.team_id === undefined ? "member" : "team"}`
        return yield* refuse("invalid_body", `${parameter}: ${detail}.`, { errors: [{ parameter, detail }] })
      }
      const answer = yield* setTarget(asker, body)
      return { ...accepted(answer), record: { subject: answer.id } }
    }),
  )
}

export const targetRoutes = (publisher: Publisher): ReadonlyArray<Route> => [
  report,
  list,
  history,
  set(publisher),
]
