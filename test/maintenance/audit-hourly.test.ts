// What the audit on every hour's close does with what it finds: a gauge, a readiness note, a note in the report on data.
import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import { STREAMS, TABLES } from "#schemas/names.ts"
import { readDataQuality } from "../../api/queries/data-quality.ts"
import { makeWritingMetrics, serveWriterHealth } from "../../deploy/health-server.ts"
import { auditOnce } from "../../pipeline/audit/hourly.ts"
import { maintain } from "../../pipeline/writer/maintenance.ts"
import { Zones } from "../../pipeline/writer/zones.ts"
import { Traffic } from "../faults/traffic.ts"
import { World } from "../faults/world.ts"
import { until } from "../faults/until.ts"
import { kill, metricOf, owns } from "../faults/writers.ts"
import { freePort } from "../free-port.ts"
import { asMaintainer, command, maintenance } from "./maintainer.ts"

layer(Traffic.layer, { excludeTestServices: true, timeout: "60 seconds" })(
  "the audit of every hour",
  (it) => {
    it.effect(
      "says once what it finds, in every place, and that it is gone",
      () =>
        Effect.gen(function* () {
          const { publish } = yield* Traffic
          const { startWriter, quiet } = yield* World
          const writer = yield* startWriter()
          yield* publish("a", 40)
          yield* quiet
          // It would make right what was committed last; in peace, so that nothing is in doubt.
          yield* kill(writer, "SIGTERM")

          const metrics = makeWritingMetrics()
          const port = yield* freePort
          yield* serveWriterHealth(metrics, "127.0.0.1", port)
          const ask = (path: string) =>
            Effect.promise(async () => {
              // As its writers tell it.
              metrics.writer.heardAt = Date.now()
              return await (await fetch(`http://127.0.0.1:${port}${path}`)).text()
            })
          const owned: Array<string> = [STREAMS.actions]
          const hour = asMaintainer(() =>
            auditOnce(
              {
                owned: () => owned,
                first: STREAMS.actions,
                maxClockAhead: 1000,
                quietly: (look) => maintain({ ...maintenance(), asItIs: true }, new Zones(), look),
              },
              metrics.audit,
            ),
          )
          const said = Effect.map(readDataQuality(true), ({ is_exact, notes }) => ({
            is_exact,
            notes: notes.map(({ kind, detail }) => `${kind}: ${detail}`),
          }))
          yield* hour
          expect(yield* said).toEqual({ is_exact: true, notes: [] })
          expect(yield* ask("/metrics")).toContain("tidemark_audit_differences 0\n")

          yield* command(`ALTER TABLE ${TABLES.activityDaily} DELETE WHERE tenant = 'a' AND user_id = 'u_1'`)
          yield* hour
          yield* hour
          const found = metrics.audit.differences ?? 0
          expect(found).toBeGreaterThan(0)
          expect(yield* said).toEqual({
            is_exact: false,
            notes: [
              `audit_differences: an audit found ${found} differences, 0 of them between this stream and raw; \`tidemark audit\` names them`,
            ],
          })
          expect(yield* ask("/metrics")).toContain(`tidemark_audit_differences ${found}\n`)
          expect(yield* ask("/readyz")).toContain(`the last audit found ${found} differences`)

          // Another process looks while this one owns nothing.
          owned.length = 0
          metrics.audit.differences = undefined
          yield* hour
          expect(metrics.audit.differences).toBe(found)

          owned.push(STREAMS.actions)
          const next = yield* startWriter()
          yield* until("it owns", owns(next))
          yield* until(
            "it makes the rollup right",
            Effect.map(metricOf(next, "tidemark_rollup_keys_repaired_total"), (keys = 0) => keys > 0),
          )
          yield* hour
          expect([(yield* said).is_exact, metrics.audit.differences]).toEqual([true, 0])
          expect(yield* ask("/readyz")).not.toContain("audit")
        }),
      { timeout: 120_000 },
    )
  },
)
