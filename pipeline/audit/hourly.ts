import { Clock, Effect } from "effect"
import type { ClickHouse } from "#clickhouse"
import type { Nats } from "#nats/connection.ts"
import { noteQuality } from "../writer/quality.ts"
import { audit, type AuditOptions } from "./audit.ts"
import type { AuditMetrics } from "./metrics.ts"
import { readLastAudit } from "./standing.ts"

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

/** One audit of what is new, its end in the metrics, and a note when something is wrong. */
const auditOnce = Effect.fn("auditOnce")(function* (
  { owned, first, ...options }: HourlyOptions,
  metrics: AuditMetrics,
) {
  const streams = owned()
  if (streams.length === 0) return yield* recall(metrics)
  const began = yield* Clock.currentTimeMillis
  const months = streams.includes(first) ? {} : { months: new Set<number>() }
  const { differences, standings } = yield* audit({ streams, all: false, ...months }, options)
  for (const { stream, proved_through } of standings) metrics.proved.set(stream, proved_through)
  metrics.seconds = ((yield* Clock.currentTimeMillis) - began) / 1000
  yield* recall(metrics)
  yield* Effect.logInfo("audited").pipe(Effect.annotateLogs({ differences, seconds: metrics.seconds }))
  for (const { stream, generation, proved_through, differences: found } of differences > 0 ? standings : [])
    yield* noteQuality({
      stream,
      kind: "audit_differences",
      generation,
      fromSeq: proved_through + 1,
      toSeq: proved_through + 1,
      detail: `an audit found ${differences} differences, ${found} of them between this stream and raw; \`tidemark audit\` names them`,
    })
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
