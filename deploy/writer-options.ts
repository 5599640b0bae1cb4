import { STREAMS } from "#schemas/names.ts"
import type { WriterOptions } from "../pipeline/writer/context.ts"
import type { Settings } from "./settings.ts"

/** How each stream of actions is written, by their names; maintenance that takes a writer's place must do as it does. */
export const writerOptionsOf = (settings: Settings): ReadonlyArray<WriterOptions> =>
  [STREAMS.actions].map((stream) => ({
    stream,
    duplicateWindow: settings.duplicateWindow,
    maxClockAhead: settings.maxClockAhead,
    lease: settings.writerLease,
    batch: { rows: settings.batchRows, bytes: settings.batchBytes, interval: settings.batchInterval },
  }))
