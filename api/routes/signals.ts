import { Effect } from "effect"
import { Signals, SignalsParameters } from "#schemas/report-signals.ts"
import { ok } from "../http/answer.ts"
import { type Call, type Route, route } from "../http/endpoint.ts"
import { openNow } from "../queries/report.ts"
import { readSignals } from "../queries/signals.ts"

const MINUTE = 60_000

const signals = route(
  {
    method: "GET",
    path: "/v1/signals",
    summary: "What to check: clients who do not schedule, or who may go on without the platform",
    description: [
      "Signs to check, not proof, each with its reasons and the events behind it. Automated and impersonated events do not count. A client's users are actors of type client in events about it. Days are counted back from the beginning of the minute of asking, 24 hours each; thresholds are the tenant's settings.",
      "engaged_not_scheduling, by client and job: so many different profiles viewed or so many different candidates' CVs downloaded by the client's users within the days looked back on, no interview.requested or interview.scheduled by anybody since the first of these views and downloads, and the directory does not say that the job is closed.",
      "off_platform_risk, by client and candidate: the client's users revealed the contact or downloaded the CV; then, for the quiet days up to now, no event at all for the two, whoever acted; no interview, offer or placement for the two, ever, whatever became of it; and the tenant's contract_months, calendar months in UTC from the first reveal or download, have not passed.",
      "They are listed by type, client and job or candidate; pages are live.",
    ].join("\n\n"),
    right: "see_clients",
    audit: "report.viewed",
    parameters: SignalsParameters,
    answers: { 200: { description: "A page of signals.", content: Signals } },
    problems: ["invalid_cursor", "too_much_data"],
  },
  Effect.fn("signals")(function* ({ parameters, credential, requestId }: Call<SignalsParameters>) {
    const { now, ...rest } = yield* openNow(credential)
    // As of whole minutes one question is asked of the store for all who ask it within one.
    const opened = { ...rest, now: now - (now % MINUTE) }
    const { rows, nextCursor } = yield* readSignals(parameters, opened)
    const { cursor: _, ...filters } = parameters
    return ok({
      data: rows,
      next_cursor: nextCursor,
      meta: {
        time_zone: opened.standing.zone,
        data_through: new Date(opened.dataThrough).toISOString(),
        filters,
        request_id: requestId,
        as_of: new Date(opened.now).toISOString(),
        thresholds: opened.settings.signals,
      },
    })
  }),
)

export const signalRoutes: ReadonlyArray<Route> = [signals]
