import { TABLES } from "#schemas/names.ts"

/** A time that a rollup keeps of a key's events, and the aggregate that it is. */
const TIMES = { first_at: "min", last_at: "max" } as const
export type KeptTime = keyof typeof TIMES

/** A rollup: the aggregate of raw that its view keeps, written down once more to compare the two. */
export interface Rollup {
  readonly table: string
  /** Key columns in order, each with the expression over raw that gives it. */
  readonly key: ReadonlyArray<{ readonly name: string; readonly of: string }>
  /** Which rows of raw it sums up. */
  readonly filter: string
  /** What it keeps beside the sums of events and quantity. */
  readonly times: ReadonlyArray<KeptTime>
  /** Which rows of raw make the keys of the scope. */
  readonly rawScope: string
  /** Which rows of the rollup have the keys of the scope. */
  readonly rollupScope: string
}

const BY_PERSONS = "NOT a.automated AND a.impersonator_id = ''"
const OF_MEMBERS = `a.actor_type = 'member' AND ${BY_PERSONS}`

const QUARTER = { name: "quarter", of: "toStartOfFifteenMinutes(a.time)" } as const
/** A quarter hour lies in one UTC day. */
const BY_QUARTERS = {
  rawScope: "toDate(a.time) IN {days:Array(Date)}",
  rollupScope: "toDate(r.quarter) IN {days:Array(Date)}",
} as const

export const ROLLUPS: ReadonlyArray<Rollup> = [
  {
    table: TABLES.activity15m,
    key: [
      { name: "tenant", of: "a.tenant" },
      QUARTER,
      { name: "user_id", of: "a.actor_id" },
      { name: "action", of: "a.type" },
    ],
    filter: OF_MEMBERS,
    times: ["last_at"],
    ...BY_QUARTERS,
  },
  {
    table: TABLES.activityDaily,
    key: [
      { name: "tenant", of: "a.tenant" },
      { name: "zone", of: "a.zone" },
      { name: "day", of: "a.local_day" },
      { name: "user_id", of: "a.actor_id" },
      { name: "action", of: "a.type" },
    ],
    filter: OF_MEMBERS,
    times: ["last_at"],
    // A UTC day lies in up to three local days (zones reach from -12 to +14 h), and these in up to five UTC days.
    rawScope: "toDate(a.time) IN {around:Array(Date)} AND a.local_day IN {localDays:Array(Date)}",
    rollupScope: "r.day IN {localDays:Array(Date)}",
  },
  {
    table: TABLES.clientActivity15m,
    key: [
      { name: "tenant", of: "a.tenant" },
      { name: "action", of: "a.type" },
      { name: "client_id", of: "a.client_id" },
      QUARTER,
      { name: "job_id", of: "a.job_id" },
      { name: "candidate_id", of: "a.candidate_id" },
      { name: "by_client", of: "toBool(a.actor_type = 'client')" },
    ],
    filter: `a.client_id != '' AND (a.job_id != '' OR a.candidate_id != '') AND ${BY_PERSONS}`,
    times: ["first_at", "last_at"],
    ...BY_QUARTERS,
  },
]

const keyOf = ({ key }: Rollup): string => key.map(({ name }) => name).join(", ")

/** Every column of a rollup. */
export const columnsOf = (rollup: Rollup): string =>
  `${keyOf(rollup)}, events, quantity, ${rollup.times.join(", ")}`

/** A key as one string, to name many keys in one parameter or to show one. */
export const keyText = ({ key }: Rollup, separator: string): string =>
  `concatWithSeparator('${separator}', ${key.map(({ name }) => `toString(${name})`).join(", ")})`

const each = <A>(items: ReadonlyArray<A>, text: (item: A) => string): string =>
  items.map((item) => `    ${text(item)},\n`).join("")

/** The aggregate of raw that a rollup is, over rows that a condition on `actions AS a` names. */
export const aggregate = ({ key, filter, times }: Rollup, condition: string): string => `
SELECT
${each(key, ({ name, of }) => `${of} AS ${name}`)}    toInt64(count()) AS events,
    toInt64(sum(a.quantity)) AS quantity,
    ${times.map((time) => `${TIMES[time]}(a.time) AS ${time}`).join(",\n    ")}
FROM ${TABLES.actions} AS a
WHERE ${filter} AND ${condition}
GROUP BY ${key.map(({ name }) => name).join(", ")}`

/**
 * Keys whose rollup differs from raw, with what has to be added, each time on both sides, and whether the rollup has
 * the key at all.
 */
export const differences = (rollup: Rollup): string => {
  const { table, key, filter, times, rawScope, rollupScope } = rollup
  return `
SELECT
    ${keyOf(rollup)},
    sum(e) AS events,
    sum(q) AS quantity,
${each(times, (time) => `${TIMES[time]}If(${time}_of_side, NOT is_rollup) AS ${time}`)}${each(
    times,
    (time) => `${TIMES[time]}If(${time}_of_side, is_rollup) AS rollup_${time}`,
  )}    max(is_rollup) AS in_rollup
FROM
(
    SELECT
    ${each(key, ({ name, of }) => `${of} AS ${name}`)}
    ${each(times, (time) => `${TIMES[time]}(a.time) AS ${time}_of_side`)}
        toInt64(count()) AS e,
        toInt64(sum(a.quantity)) AS q,
        false AS is_rollup
    FROM ${TABLES.actions} AS a
    WHERE a.tenant IN {tenants:Array(String)} AND ${rawScope} AND ${filter}
    GROUP BY ${keyOf(rollup)}
    UNION ALL
    SELECT
    ${each(key, ({ name }) => `r.${name} AS ${name}`)}
    ${each(times, (time) => `${TIMES[time]}(r.${time}) AS ${time}_of_side`)}
        -sum(r.events) AS e,
        -sum(r.quantity) AS q,
        true AS is_rollup
    FROM ${table} AS r
    WHERE r.tenant IN {tenants:Array(String)} AND ${rollupScope}
    GROUP BY ${keyOf(rollup)}
)
GROUP BY ${keyOf(rollup)}
HAVING events != 0 OR quantity != 0${times.map((time) => ` OR ${time} != rollup_${time}`).join("")}`
}

/** True for a key whose stored time no added row could bring back: an earliest too early, a latest too late. */
export const beyondAdding = ({ times }: Rollup): string => {
  const isBeyond = times.map((time) => `rollup_${time} ${TIMES[time] === "max" ? ">" : "<"} ${time}`)
  return `in_rollup AND (${isBeyond.join(" OR ")})`
}
