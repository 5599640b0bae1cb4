import { TABLES } from "#schemas/names.ts"
import type { SummaryParameters } from "#schemas/report-user-insights.ts"
import { activeDaysByUser, type Activity, activityReads, byUser, catalogueParams } from "./activity.ts"
import { LICENSES, licenseParams, PEOPLE, PEOPLE_READS, peopleParams, UNKNOWN } from "./people.ts"
import type { Report } from "./report.ts"
import type { Read } from "./store-version.ts"

/** Whether the licence counts, by the basis that was asked for. */
const LICENSED = `multiIf(
      {license_basis:String} = 'any', licenses.live_at_some_time,
      {license_basis:String} = 'whole', licenses.live_throughout,
      licenses.live_at_end)`

/** Everything by user first, then the directory beside it; whoever acted and is not in it is unknown. */
const joined = (rows: string, days: string | undefined): string => `
  FROM (${byUser(rows)}) AS activity
  FULL JOIN (${PEOPLE}) AS people ON people.user_id = activity.user_id
  LEFT JOIN (${LICENSES}) AS licenses ON licenses.user_id = people.user_id
  ${days === undefined ? "" : `LEFT JOIN (${activeDaysByUser(days)}) AS days ON days.user_id = people.user_id`}`

const FIELDS = `
    people.user_id AS user_id,
    people.member AS member,
    people.name AS name,
    people.email AS email,
    arrayDistinct(people.team_ids) AS team_ids,
    licenses.last_verb AS last_verb,
    licenses.live_at_some_time AS has_license,
    ${LICENSED} AS licensed,
    activity.user_id != '' AS acted,
    activity.active AS active,
    activity.metrics AS metrics,
    if(activity.active, activity.last_at, NULL) AS last_at,
    ${UNKNOWN} AS unknown`

/**
 * Everybody of the directory, and whoever acted and is not in it: (user_id, member, name, email, team_ids, last_verb,
 * has_license, licensed, acted, active, metrics, last_at, unknown). The reports are over those with `member`; of them
 * the listed ones had a live licence at some instant of the range or did something in it.
 */
export const memberRows = ({ rows }: Activity): string => `
  SELECT ${FIELDS}
  ${joined(rows, undefined)}`

/** The same with `active_days`. */
export const memberRowsWithDays = ({ rows }: Activity): string => `
  SELECT ${FIELDS},
    days.active_days AS active_days
  ${joined(rows, rows)}`

export const LISTED = "member AND (has_license OR acted)"

/** What member rows are read from. */
export const memberReads = (report: Report): ReadonlyArray<Read> => [
  ...activityReads(report),
  ...PEOPLE_READS,
  { table: TABLES.licenseEvents },
]

/** What the statements over member rows take. */
export const memberParams = (
  activity: Activity,
  parameters: Pick<SummaryParameters, "team_id" | "user_email" | "user_id" | "license_basis">,
  report: Parameters<typeof peopleParams>[1] & Pick<Report, "range">,
) => ({
  ...activity.params,
  ...catalogueParams,
  ...peopleParams(parameters, report),
  ...licenseParams(report.range),
  license_basis: parameters.license_basis ?? "end",
  days: activity.positionsOf(report.range.days),
})
