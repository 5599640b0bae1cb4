import type { AuditMetrics } from "./metrics.ts"

const gauge = (
  name: string,
  help: string,
  samples: ReadonlyArray<readonly [string, number]>,
): ReadonlyArray<string> =>
  samples.length === 0
    ? []
    : [
        `# HELP ${name} ${help}`,
        `# TYPE ${name} gauge`,
        ...samples.map(([labels, value]) => `${name}${labels} ${value}`),
      ]

const known = (value: number | undefined): ReadonlyArray<readonly [string, number]> =>
  value === undefined ? [] : [["", value]]

/** The text format of Prometheus. What is unknown is left out, which an alert can tell from 0. */
export const renderAuditMetrics = ({ differences, endedAt, seconds, proved }: AuditMetrics): string =>
  [
    ...gauge(
      "tidemark_audit_differences",
      "Differences between stream, raw and rollups that no later audit has cleared; 0 is the proof.",
      known(differences),
    ),
    ...gauge(
      "tidemark_audit_last_end_timestamp_seconds",
      "When the last audit ended, since 1970; absent before the first.",
      known(endedAt === undefined ? undefined : endedAt / 1000),
    ),
    ...gauge("tidemark_audit_seconds", "How long this process's last audit took.", known(seconds)),
    ...gauge(
      "tidemark_audit_proved_sequence",
      "Everything of the stream up to here is proved.",
      [...proved].map(([stream, sequence]) => [`{stream="${stream}"}`, sequence] as const),
    ),
    "",
  ].join("\n")
