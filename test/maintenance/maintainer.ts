import { Effect } from "effect"
import { ClickHouse } from "#clickhouse"
import { STREAMS } from "#schemas/names.ts"
import { loadZones } from "../../pipeline/directory/load-zones.ts"
import type { MaintenanceOptions } from "../../pipeline/writer/maintenance.ts"
import { Zones } from "../../pipeline/writer/zones.ts"
import { WINDOW, World } from "../faults/world.ts"

/** Batches are as large as those of the writer whose place is taken; of few rows a start proves few again by itself. */
export const maintenance = (rows = 400): MaintenanceOptions => ({
  stream: STREAMS.actions,
  partitions: 1,
  duplicateWindow: WINDOW,
  maxClockAhead: 1000,
  lease: 1000,
  batch: { rows, bytes: 4_000_000, interval: 50 },
  why: "a test",
})

/** As a command would: with the store's user of the writers, whose statements the fence knows, and the zones as they are. */
export const asMaintainer = <A, E, R>(work: (zones: Zones) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(World, ({ clickhouseUrl }) =>
    Effect.gen(function* () {
      const zones = new Zones()
      yield* loadZones(zones)
      return yield* work(zones)
    }).pipe(Effect.provide(ClickHouse.layer({ url: clickhouseUrl, user: "tidemark_writer", password: "" }))),
  )

/** A statement that is done when it returns. */
export const command = (statement: string) =>
  Effect.flatMap(ClickHouse, (store) => store.command(statement, { settings: { mutations_sync: "2" } }))
