// The views of database bi that repeat the catalogue, as statements. When catalogue.json has changed:
//   node migrations/catalogue-views.ts > migrations/00NN_bi_catalogue.sql
// A test compares what the migrations come to with what is made here, so that neither drifts from the catalogue.
import { CATALOGUE } from "#schemas/catalogue.ts"

const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`

const list = (values: ReadonlyArray<string>): string => values.map((value) => `        ${value}`).join(",\n")

const CATALOGUE_VIEW = `CREATE OR REPLACE VIEW bi.catalogue
(
    action           String COMMENT 'The action: <object>.<verb>',
    label            String COMMENT 'The action in words',
    metric           String COMMENT 'The key under which reports show the sum of the action''s quantity',
    activates_member Bool COMMENT 'Whether the action makes a member count as active',
    activates_client Bool COMMENT 'Whether the action makes a client''s user count as active'
)
DEFINER = tidemark_bi SQL SECURITY DEFINER
COMMENT 'One row an action that Tidemark knows'
AS SELECT
    known.1 AS action,
    known.2 AS label,
    known.3 AS metric,
    known.4 AS activates_member,
    known.5 AS activates_client
FROM (
    SELECT arrayJoin([
${list(
  CATALOGUE.actions.map(
    ({ type, label, metric, activates_member, activates_client }) =>
      `(${quoted(type)}, ${quoted(label)}, ${quoted(metric)}, ${activates_member}, ${activates_client})`,
  ),
)}
    ]) AS known
)`

const WIDE_VIEW = `CREATE OR REPLACE VIEW bi.user_daily_wide
(
    tenant           String COMMENT 'The tenant',
    day              Date COMMENT 'The calendar day in the tenant''s time zone',
    user_id          String COMMENT 'The member who acted',
    is_active        Bool COMMENT 'Whether an action of the day makes the member count as active',
    last_activity_at Nullable(DateTime64(3, 'UTC')) COMMENT 'The latest time of such an action, in UTC; NULL when there is none',
    events           Int64 COMMENT 'Number of events, whatever the action',
${CATALOGUE.actions
  .map(
    ({ label, metric }) =>
      `    ${metric} Int64 COMMENT ${quoted(`${label}: sum of the quantity of the day's events`)}`,
  )
  .join(",\n")}
)
DEFINER = tidemark_bi SQL SECURITY DEFINER
COMMENT 'One row a member and day with at least one event: bi.user_daily with a column a metric'
AS SELECT
    tenant AS tenant,
    day AS day,
    user_id AS user_id,
    max(activates_member) AS is_active,
    if(max(activates_member), maxIf(last_at, activates_member), NULL) AS last_activity_at,
    sum(events) AS events,
${CATALOGUE.actions.map(({ metric }) => `    sumIf(quantity, metric = ${quoted(metric)}) AS ${metric}`).join(",\n")}
FROM bi.user_daily
GROUP BY tenant, day, user_id`

/** The statements by the view that each makes. */
export const CATALOGUE_VIEWS = { "bi.catalogue": CATALOGUE_VIEW, "bi.user_daily_wide": WIDE_VIEW } as const

if (import.meta.main)
  process.stdout.write(
    `-- Made by catalogue-views.ts from the catalogue.\n${Object.values(CATALOGUE_VIEWS).join(";\n\n")};\n`,
  )
