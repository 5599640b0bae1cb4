// What an export asks for reaches the store as parameters and nowhere else.
import { Effect } from "effect"
import { expect, it } from "vitest"
import { ClickHouse } from "#clickhouse"
import { EXPORT_FORMATS, type ExportRequest } from "#schemas/export.ts"
import { newTenant } from "../test-app.ts"
import { renderer, snapshotOf } from "../exports/test-render.ts"

const { file, exporter } = renderer()
const tenant = newTenant()

const MARK = "h4rmful"
const HOSTILE = [
  `${MARK}' OR 1=1; DROP TABLE tidemark.actions; --`,
  `${MARK}\\'`,
  `${MARK}"\n\t\r`,
  `${MARK}{tenant:String}\${x}`,
  "\\N",
]
const REPORTS = {
  user_actions: ["client_id", "user_id", "user_email", "candidate_id", "job_id"],
  user_insights: ["team_id", "user_email", "user_id"],
} as const

const statementsOf = async (
  report: ExportRequest["report"],
  format: ExportRequest["format"],
  values: ReadonlyArray<string>,
  user: string,
) => {
  const statements: Array<string> = []
  const real = exporter()
  const overheard = ClickHouse.of({
    ...real,
    query: (statement, options) =>
      Effect.suspend(() => {
        statements.push(statement)
        return real.query(statement, options)
      }),
    stream: (statement, options) => {
      statements.push(`${statement}${JSON.stringify(options?.settings)}`)
      return real.stream(statement, options)
    },
  })
  const filters = Object.fromEntries(REPORTS[report].map((name) => [name, values]))
  const snapshot = snapshotOf(tenant, {
    from: "2026-10-01",
    to: "2026-10-31",
    scope: { kind: "teams_of", user },
  })
  await file({ ...filters, report, format }, snapshot, undefined, overheard)
  return statements
}

it.each(
  EXPORT_FORMATS.flatMap((format) => [["user_actions", format] as const, ["user_insights", format] as const]),
)("%s as %s asks the same of the store whatever the values are", async (report, format) => {
  const hostile = await statementsOf(report, format, HOSTILE, HOSTILE[0] ?? "")
  expect(hostile).toHaveLength(2)
  expect(hostile.join()).not.toContain(MARK)
  expect(hostile.join()).not.toContain(tenant)
  expect(hostile).toEqual(await statementsOf(report, format, ["x"], "y"))
})
