import type { MonthAudit } from "../../pipeline/audit/audit-rollups.ts"
import type { StreamAudit } from "../../pipeline/audit/audit-stream.ts"
import type { Difference } from "../../pipeline/audit/difference.ts"
import { many } from "./many.ts"

/** A block of a stream that was compared, in a line. */
export const blockText = (block: StreamAudit): string =>
  [
    `${block.stream} ${block.from_seq} to ${block.to_seq}: ${many(block.events - block.repeats, "event")}`,
    many(block.repeats, "repeat"),
    many(block.refused, "dead letter"),
    ...(block.gone > 0 ? [`${block.gone} no longer in the stream, so only their rollups are proved`] : []),
    `${many(block.differences, "difference")} (${block.seconds.toFixed(1)} s)`,
  ].join(", ")

/** A month that was compared, in a line. */
export const monthText = ({ month, events, differences, seconds }: MonthAudit): string =>
  [
    `${String(month).slice(0, 4)}-${String(month).slice(4)}: ${many(events, "event")} in raw and in every rollup`,
    `${many(differences, "difference")} (${seconds.toFixed(1)} s)`,
  ].join(", ")

export const differenceText = ({ kind, tenant, seq, detail }: Difference): string =>
  ["  ", kind, tenant, ...(seq === 0 ? [] : [`message ${seq}`]), detail].join(" ")
