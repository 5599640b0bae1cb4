import { join } from "node:path"
import { expect, it } from "@effect/vitest"
import { Effect, Layer, Schedule } from "effect"
import { ClickHouse } from "#clickhouse"
import { STREAMS } from "#schemas/names.ts"
import { Nats } from "#nats/connection.ts"
import { ensureTopology } from "#nats/topology.ts"
import { spawnScoped } from "../../deploy/engines/child.ts"
import { checkLedgerServer, isSafeForReplicas } from "../../pipeline/writer/claim.ts"
import { makeWriterMetrics } from "../../pipeline/writer/metrics.ts"
import { runWriter } from "../../pipeline/writer/writer.ts"
import { Zones } from "../../pipeline/writer/zones.ts"
import { freePort } from "../free-port.ts"
import { temporaryFolder } from "../temporary-folder.ts"

/** Three servers on loopback that keep streams together; their URLs. */
const cluster = Effect.gen(function* () {
  const folder = yield* temporaryFolder
  const ports = yield* Effect.all([1, 2, 3].map(() => Effect.all([freePort, freePort])))
  const routes = ports.map(([, port]) => `nats://127.0.0.1:${port}`).join(",")
  for (const [n, [port, clusterPort]] of ports.entries())
    yield* spawnScoped(
      "nats-server",
      `--addr 127.0.0.1 --port ${port} --server_name n${n}
       --jetstream --store_dir ${join(folder, `n${n}`)}
       --cluster_name test --cluster nats://127.0.0.1:${clusterPort} --routes ${routes}`.split(/\s+/u),
      { patience: 4000 },
    )
  return ports.map(([port]) => `nats://127.0.0.1:${port}`).join(",")
})

/** Until the servers are up and have elected their leaders. */
const patience = Schedule.spaced("250 millis").pipe(Schedule.upTo({ times: 120 }))

it.live(
  "a ledger with three replicas is refused where two writers could both change it",
  () =>
    Effect.gen(function* () {
      const url = yield* cluster
      const services = yield* Layer.build(
        Layer.merge(
          Nats.layer({ url, name: "cluster" }),
          // Refused before the store is asked anything.
          ClickHouse.layer({ url: "http://127.0.0.1:1", user: "nobody", password: "" }),
        ),
      ).pipe(Effect.retry(patience))
      yield* Effect.gen(function* () {
        yield* ensureTopology({
          duplicateWindow: 4000,
          actionsMaxAge: 86_400_000,
          replicas: 3,
          partitions: 1,
        }).pipe(Effect.retry(patience))
        const version = (yield* Nats).connection.info?.version ?? ""
        const options = {
          stream: STREAMS.actions,
          partitions: 1,
          duplicateWindow: 4000,
          maxClockAhead: 1000,
          lease: 1000,
          batch: { rows: 100, bytes: 1_000_000, interval: 50 },
        }
        if (isSafeForReplicas(version)) return yield* checkLedgerServer
        const refused = yield* Effect.flip(runWriter(options, new Zones(), makeWriterMetrics()))
        expect(refused).toMatchObject({ _tag: "UnsafeLedger", replicas: 3, version })
        expect(refused.message).toBe(
          `the ledger has 3 replicas on nats-server ${version}, which lets more than one writer succeed with the same revision. Upgrade to 2.10.27 or newer, or set NATS_REPLICAS=1.`,
        )
      }).pipe(Effect.provide(services))
    }),
  { timeout: 90_000 },
)
