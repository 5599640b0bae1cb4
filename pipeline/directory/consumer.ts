import { decodeDirectory } from "#schemas/decode.ts"
import { STREAMS, SUBJECTS, TABLES } from "#schemas/names.ts"
import type { RefusalReason } from "#schemas/refusal.ts"
import type { StreamMessage } from "#nats/reader.ts"
import { type Applied, applyStream } from "../apply/apply-stream.ts"
import { routeOf } from "../writer/action-row.ts"
import type { Zones } from "../writer/zones.ts"
import { loadZones } from "./load-zones.ts"
import { directoryRow } from "./rows.ts"

export interface DirectoryOptions {
  /** Milliseconds that an upsert's time may be ahead of its receive time. */
  readonly maxClockAhead: number
}

/** Judged as it arrives: the writer stamps rows by the newest zone that anybody told, stored or not. */
const judge =
  (options: DirectoryOptions, zones: Zones) =>
  ({ payload, subject, messageId, receivedAt }: StreamMessage): Applied => {
    const decoded = decodeDirectory(
      { payload, ...routeOf(SUBJECTS.directory, subject), messageId, checkRoute: true, receivedAt },
      options,
    )
    if (!decoded.ok) return { refusal: decoded }
    const { event, time } = decoded
    if (event.type === "tenant.upserted") zones.set(event.tenantid, event.data.time_zone, time, event.id)
    return { row: directoryRow(event, time) }
  }

/**
 * Applies the directory's stream to its tables for ever. Every row may be written again without harm: the newest version
 * wins, whatever the order. `onCaughtUp` is called when everything that the stream held at the start is applied.
 */
export const runDirectory = (
  options: DirectoryOptions,
  zones: Zones,
  onCaughtUp: () => void,
  refused: Map<RefusalReason, number> = new Map(),
) =>
  applyStream(
    {
      service: "directory",
      stream: STREAMS.directory,
      subjects: SUBJECTS.directory,
      progress: TABLES.directoryProgress,
      prepare: loadZones(zones),
      judge: judge(options, zones),
      refused,
    },
    onCaughtUp,
  )
