import { Clock, Effect } from "effect"
import { ClickHouse } from "#clickhouse"
import { TABLES } from "#schemas/names.ts"
import type { Nats } from "#nats/connection.ts"
import { noteQuality } from "../writer/quality.ts"
import { audit, type AuditOptions } from "./audit.ts"
import type { AuditMetrics } from "./metrics.ts"
import { readLastAudit, type Standing } from "./standing.ts"

const HOUR = 3_600_000
/** After the hour, so that its last events are committed. */
const MARGIN = 60_000

export interface HourlyOptions extends AuditOptions {
  /** The streams that this process owns at the moment; with none it leaves the audit to another. */
  readonly owned: () => ReadonlyArray<string>
  /** Its owner looks at the rollups, which are of all streams. */
  readonly first: string
}

/** Shows what the store remembers, until this process has audited itself. */
const recall = Effect.fnUntraced(function* (metrics: AuditMetrics) {
  const last = yield* readLastAudit()
  if (last === undefined) return
  metrics.differences = last.differences
  metrics.endedAt = last.endedAt
})

const LAST_NOTE = `
SELECT argMax(detail, at) AS detail FROM ${TABLES.dataQuality}
WHERE stream = {stream:String} AND kind = {kind:String}`

/** Says what an audit found, once and not every hour anew: other notes are to be seen beside it. */
const noteDifferences = Effect.fnUntraced(function* (
  { stream, generation, proved_through, differences: found }: Standing,
  differences: number,
  isNew: boolean,
) {
  const store = yield* ClickHouse
  const kind = "audit_differences"
  const seq = proved_through + 1
  const detail = `an audit found ${differences} differences, ${found} of them between this stream and raw; \`tidemark audit\` names them`
  const [last] = yield* store.query<{ readonly detail: string }>(LAST_NOTE, { params: { stream, kind } })
  if (isNew || last?.detail !== detail)
    yield* noteQuality({ stream, kind, generation, fromSeq: seq, toSeq: seq, detail })
})

/** One audit of what is new, its end in the metrics, and a note when something is wrong. */
export const auditOnce = Effect.fn("auditOnce")(function* (
  { owned, first, ...options }: HourlyOptions,
  metrics: AuditMetrics,
) {
  const streams = owned()
  if (streams.length === 0) return yield* recall(metrics)
  const began = yield* Clock.currentTimeMillis
  const isNew = ((yield* readLastAudit())?.differences ?? 0) === 0
  const months = streams.includes(first) ? {} : { months: new Set<number>() }
  const { differences, standings } = yield* audit({ streams, all: false, ...months }, options)
  for (const { stream, proved_through } of standings) metrics.proved.set(stream, proved_through)
  metrics.seconds = ((yield* Clock.currentTimeMillis) - began) / 1000
  yield* recall(metrics)
  yield* Effect.logInfo("audited").pipe(Effect.annotateLogs({ differences, seconds: metrics.seconds }))
  if (differences === 0) return
  const wrong = standings.filter(({ differences: found }) => found > 0)
  for (const standing of wrong.length > 0 ? wrong : standings.slice(0, 1))
    yield* noteDifferences(standing, differences, isNew)
})

/** Does something soon after every full hour, for ever. */
export const everyHour = <R>(work: Effect.Effect<void, never, R>): Effect.Effect<never, never, R> =>
  Clock.currentTimeMillis.pipe(
    Effect.flatMap((now) => Effect.sleep(HOUR - ((now - MARGIN + HOUR) % HOUR))),
    Effect.andThen(work),
    Effect.forever,
  )

/** Audits what is new soon after every full hour, for as long as it runs; what keeps one from ending is said, and the next tries again. */
export const auditHourly = (
  options: HourlyOptions,
  metrics: AuditMetrics,
): Effect.Effect<never, never, ClickHouse | Nats> => {
  const attempt = (work: Effect.Effect<void, { readonly message: string }, ClickHouse | Nats>) =>
    work.pipe(Effect.catch((error) => Effect.logWarning(`audit: ${error.message}`)))
  return attempt(recall(metrics)).pipe(
    Effect.andThen(everyHour(attempt(auditOnce(options, metrics)))),
    Effect.annotateLogs({ service: "audit" }),
  )
}
