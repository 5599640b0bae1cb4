import type { ClickHouse, ClickHouseError } from "#clickhouse"
import { Effect } from "effect"
import { TABLES } from "#schemas/names.ts"
import { MAX_EVIDENCE } from "#schemas/report-signals.ts"
import type { StoredAction } from "./actions.ts"
import { ask } from "./memory.ts"
import type { Opened } from "./report.ts"
import { DAY, pairKey } from "./signal-asked.ts"
import { dateTime64 } from "./statement.ts"

export type EvidenceEvent = Pick<
  StoredAction,
  "id" | "type" | "time" | "actor_id" | "quantity" | "client_id" | "candidate_id" | "job_id"
>

/** What a signal stands on, to be found in the log. */
export interface Behind {
  readonly client: string
  /** A job or a candidate. */
  readonly subject: string
  /** UTC days on which its events lie, the first ones first. */
  readonly days: ReadonlyArray<string>
}

/** The log's order begins with tenant and UTC day; the rollup has said which days to look at. */
const statement = (subject: "job_id" | "candidate_id"): string => `
SELECT id, type, time, actor_id, quantity, client_id, candidate_id, job_id
FROM ${TABLES.actions}
WHERE tenant = {tenant:String} AND toDate(time) IN {days:Array(Date)} AND time >= {since:DateTime64(3, 'UTC')}
  AND type IN {types:Array(String)} AND actor_type = 'client' AND NOT automated AND impersonator_id = ''
  AND client_id IN {clients:Array(String)} AND ${subject} IN {subjects:Array(String)}
ORDER BY time, id
LIMIT ${MAX_EVIDENCE} BY client_id, ${subject}`

/** The earliest events behind some signals of one kind, oldest first, by `pairKey`. */
export const readEvidence = Effect.fn("readEvidence")(function* (
  { tenant, version }: Opened,
  subject: "job_id" | "candidate_id",
  types: ReadonlyArray<string>,
  since: number,
  signals: ReadonlyArray<Behind>,
): Effect.fn.Return<ReadonlyMap<string, ReadonlyArray<EvidenceEvent>>, ClickHouseError, ClickHouse> {
  if (signals.length === 0) return new Map()
  // So many events lie in no more days.
  const days = [...new Set(signals.flatMap((signal) => signal.days.slice(0, MAX_EVIDENCE)))].toSorted()
  const [first = "", last = first] = [days[0], days.at(-1)]
  const rows = yield* ask<EvidenceEvent>(
    version,
    statement(subject),
    {
      tenant,
      types,
      since: dateTime64(since),
      clients: [...new Set(signals.map(({ client }) => client))],
      subjects: [...new Set(signals.map((signal) => signal.subject))],
      days,
    },
    [{ table: TABLES.actions, range: { start: Date.parse(first), end: Date.parse(last) + DAY } }],
  )
  return Map.groupBy(rows, (row) => pairKey(row.client_id, row[subject]))
})
