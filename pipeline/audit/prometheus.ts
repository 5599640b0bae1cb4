import { byLabel, family, single } from "../writer/exposition.ts"
import type { AuditMetrics } from "./metrics.ts"

/** The text format of Prometheus. What is unknown is left out, which an alert can tell from 0. */
export const renderAuditMetrics = ({ differences, endedAt, seconds, proved }: AuditMetrics): string =>
  [
    ...single(
      "tidemark_audit_differences",
      "gauge",
      "Differences between stream, raw and rollups that no later audit has cleared; 0 is the proof.",
      differences,
    ),
    ...single(
      "tidemark_audit_last_end_timestamp_seconds",
      "gauge",
      "When the last audit ended, since 1970; absent before the first.",
      endedAt === undefined ? undefined : endedAt / 1000,
    ),
    ...single("tidemark_audit_seconds", "gauge", "How long this process's last audit took.", seconds),
    ...family(
      "tidemark_audit_proved_sequence",
      "gauge",
      "Everything of the stream up to here is proved.",
      byLabel("tidemark_audit_proved_sequence", "stream", proved),
    ),
    "",
  ].join("\n")
