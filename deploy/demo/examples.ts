import { Effect } from "effect"

/** Addresses that show each report of the demo tenant at its best. */
const REPORTS = [
  "/v1/reports/user-insights/summary?$RANGE&compare=previous",
  "/v1/reports/user-insights/users?$RANGE&sort=-notes_logged&limit=5&targets=true",
  "/v1/reports/user-insights/teams?$RANGE&targets=true",
  "/v1/reports/leaderboard?$RANGE&metric=notes_logged&limit=5",
  "/v1/reports/targets?$RANGE&subject=team",
  "/v1/reports/adoption?$RANGE",
  "/v1/reports/licenses?$RANGE",
  "/v1/reports/client-engagement?$RANGE&sort=-cv_downloads&limit=5",
  "/v1/signals?limit=2",
  "/v1/actions?$RANGE&action=cv.downloaded&limit=5",
  "/v1/exports",
] as const

/** Lines for a shell: the first sets what the others use, under the names of README.md. */
export const examples = (api: string, key: string, range: string): ReadonlyArray<string> => [
  `API=${api} AUTH='Authorization: Bearer ${key}' RANGE='${range}'`,
  "",
  ...REPORTS.map((address) => `curl -s -H "$AUTH" "$API${address}"`),
]

/** Asks for the users as a file, once for a range, so that there is an export to look at. */
export const askForExport = (api: string, key: string, range: string) =>
  Effect.promise(() =>
    fetch(`${api}/v1/exports`, {
      method: "POST",
      headers: {
        Authorization: `Bearer ${key}`,
        "Content-Type": "application/json",
        "Idempotency-Key": `demo-${range.replaceAll(/[^\d-]/gu, "")}`,
      },
      body: JSON.stringify({
        report: "user_insights",
        ...Object.fromEntries(new URLSearchParams(range)),
        format: "csv",
      }),
    }),
  )
