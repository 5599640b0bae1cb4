import { Effect } from "effect"
import { AuditLog, AuditLogParameters } from "#schemas/report-audit-log.ts"
import { ok } from "../http/answer.ts"
import { type Call, type Route, route } from "../http/endpoint.ts"
import { readAuditPage } from "../queries/audit-log.ts"
import { metaOf, openReport } from "../queries/report.ts"

const auditLog = route(
  {
    method: "GET",
    path: "/v1/audit-log",
    summary: "Who saw, exported or changed what, newest first",
    description:
      "Calls of reports, exports and administration, refused ones too, and changes by command. A call that could not be understood is not on record. A look at this log is.",
    right: "see_audit_log",
    audit: "audit_log.viewed",
    parameters: AuditLogParameters,
    answers: { 200: { description: "A page of the log.", content: AuditLog } },
    problems: ["invalid_cursor", "too_much_data"],
  },
  Effect.fn("auditLog")(function* (call: Call<AuditLogParameters>) {
    const { parameters, requestId } = call
    const report = yield* openReport(call)
    const { rows, nextCursor, dataThrough } = yield* readAuditPage(parameters, report)
    const meta = metaOf({ ...report, dataThrough }, parameters, requestId)
    return ok({ data: rows, next_cursor: nextCursor, meta })
  }),
)

export const auditRoutes: ReadonlyArray<Route> = [auditLog]
