import { Effect } from "effect"
import type { Quietly } from "../pipeline/audit/rollup-differences.ts"
import { loadZones } from "../pipeline/directory/load-zones.ts"
import { Zones } from "../pipeline/writer/zones.ts"
import { logging } from "./logging.ts"
import { clickhouseOf, natsOf } from "./services.ts"
import type { Settings } from "./settings.ts"
import { quietlyAs } from "./quietly.ts"

/** With the engines as one who takes a writer's place: as the store's user of the writers, whose statements the fence knows. */
export const asMaintainer = (settings: Settings, name: string) =>
  Effect.provide([
    clickhouseOf(settings, "writer"),
    natsOf(settings, name),
    // What a writer tells of its daily work is nothing to whoever reads a command's output.
    logging(settings.logLevel === "info" ? "warn" : settings.logLevel),
  ])

/** Runs a look at the store as it is, while nobody writes. */
export const quietlyOf =
  (settings: Settings): Quietly =>
  (look) =>
    Effect.gen(function* () {
      const zones = new Zones()
      yield* loadZones(zones)
      return yield* quietlyAs(settings, zones)(look)
    })
