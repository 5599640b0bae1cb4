import { Effect } from "effect"
import type { Quietly } from "../pipeline/audit/rollup-differences.ts"
import { maintainAll } from "../pipeline/writer/maintenance.ts"
import type { Zones } from "../pipeline/writer/zones.ts"
import type { Settings } from "./settings.ts"
import { actionWriters } from "./writer-options.ts"

/** Runs a look at the store as it is, while nobody writes. */
export const quietlyAs =
  (settings: Settings, zones: Zones): Quietly =>
  (look) =>
    Effect.gen(function* () {
      const { current } = yield* actionWriters(settings)
      const streams = current.map((options) => ({ ...options, why: "an audit", asItIs: true }))
      return yield* maintainAll(streams, zones, () => look)
    })
