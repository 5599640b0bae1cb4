import { byLabel, family, line, single } from "./exposition.ts"
import type { Histogram, WriterMetrics } from "./metrics.ts"

const buckets = (name: string, help: string, { bounds, counts, sum }: Histogram): ReadonlyArray<string> => [
  `# HELP ${name} ${help}`,
  `# TYPE ${name} histogram`,
  ...[...bounds.map(String), "+Inf"].map((bound, n) => line(`${name}_bucket`, counts[n] ?? 0, { le: bound })),
  line(`${name}_sum`, sum),
  line(`${name}_count`, counts.at(-1) ?? 0),
]

/** The text format of Prometheus. A lag that is unknown is left out, which an alert can tell from 0. */
export const renderWriterMetrics = (metrics: WriterMetrics): string => {
  const labelled = (name: string, label: string, help: string, counts: ReadonlyMap<string, number>) =>
    family(name, "counter", help, byLabel(name, label, counts))
  return [
    ...single(
      "tidemark_messages_received_total",
      "counter",
      "Messages read from the stream.",
      metrics.received,
    ),
    ...single(
      "tidemark_events_stored_total",
      "counter",
      "Events inserted in the normal run.",
      metrics.stored,
    ),
    ...single(
      "tidemark_events_repeated_total",
      "counter",
      "Repeats that were found by look-up.",
      metrics.repeats,
    ),
    ...single(
      "tidemark_events_erased_total",
      "counter",
      "Events of people who were erased; they are not stored.",
      metrics.erased,
    ),
    ...labelled(
      "tidemark_dead_letters_total",
      "reason",
      "Messages that were refused: actions, events of the directory, records of the audit log.",
      metrics.deadLetters,
    ),
    ...labelled("tidemark_batches_total", "trigger", "Batches by what cut them.", metrics.batches),
    ...labelled("tidemark_doubts_total", "cause", "Times the store had to be proved.", metrics.doubts),
    ...buckets("tidemark_batch_rows", "Rows of each batch.", metrics.batchRows),
    ...buckets(
      "tidemark_insert_seconds",
      "Seconds until the store had acknowledged a batch.",
      metrics.insertSeconds,
    ),
    ...single(
      "tidemark_rows_repaired_total",
      "counter",
      "Raw rows inserted or deleted by repairs.",
      metrics.rowsRepaired,
    ),
    ...single(
      "tidemark_rollup_keys_repaired_total",
      "counter",
      "Rollup keys corrected.",
      metrics.rollupKeysRepaired,
    ),
    ...single(
      "tidemark_messages_gone_total",
      "counter",
      "Messages that left the stream unproved.",
      metrics.messagesGone,
    ),
    ...single(
      "tidemark_generations_total",
      "counter",
      "Times the stream went back or was made anew.",
      metrics.generations,
    ),
    ...single("tidemark_writer_owner", "gauge", "1 while this writer owns its partition.", metrics.owner),
    ...single(
      "tidemark_committed_sequence",
      "gauge",
      "Everything up to here is stored or refused.",
      metrics.committed,
    ),
    ...single("tidemark_lag_events", "gauge", "Messages that wait; absent while unknown.", metrics.lagEvents),
    ...single(
      "tidemark_lag_seconds",
      "gauge",
      "Age of the oldest message that waits; absent while unknown.",
      metrics.lagSeconds,
    ),
    ...single(
      "tidemark_stream_seconds_to_loss",
      "gauge",
      "Until the stream drops the oldest message that is not stored; absent when none waits and while unknown.",
      metrics.secondsToLoss,
    ),
    ...single(
      "tidemark_stream_max_age_seconds",
      "gauge",
      "The stream drops what is older, stored or not; absent without a limit and while unknown.",
      metrics.maxAge,
    ),
    ...single("tidemark_writer_memory_bytes", "gauge", "Resident memory.", process.memoryUsage.rss()),
    "",
  ].join("\n")
}
