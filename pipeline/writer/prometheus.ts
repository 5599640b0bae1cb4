import { byLabel, family, line, single as one } from "./exposition.ts"
import type { Histogram, ProcessMetrics, WriterMetrics } from "./metrics.ts"

type ByStream = ReadonlyArray<readonly [stream: string, metrics: WriterMetrics]>

type Value = (metrics: WriterMetrics) => number | undefined

/** One value a stream; what is unknown is left out. */
const byStream = (
  streams: ByStream,
  [name, type, help, of]: readonly [name: string, type: "counter" | "gauge", help: string, of: Value],
): ReadonlyArray<string> =>
  family(
    name,
    type,
    help,
    streams.flatMap(([stream, metrics]) => {
      const value = of(metrics)
      return value === undefined ? [] : [line(name, value, { stream })]
    }),
  )

/** A sample for each stream and value of a label. */
const labelled = (
  name: string,
  label: string,
  help: string,
  counts: ReadonlyArray<readonly [stream: string, counts: ReadonlyMap<string, number>]>,
): ReadonlyArray<string> =>
  family(
    name,
    "counter",
    help,
    counts.flatMap(([stream, known]) => byLabel(name, label, known, { stream })),
  )

const histogram = (
  streams: ByStream,
  name: string,
  help: string,
  of: (metrics: WriterMetrics) => Histogram,
): ReadonlyArray<string> =>
  family(
    name,
    "histogram",
    help,
    streams.flatMap(([stream, metrics]) => {
      const { bounds, counts, sum } = of(metrics)
      return [
        ...[...bounds.map(String), "+Inf"].map((le, n) =>
          line(`${name}_bucket`, counts[n] ?? 0, { stream, le }),
        ),
        line(`${name}_sum`, sum, { stream }),
        line(`${name}_count`, counts.at(-1) ?? 0, { stream }),
      ]
    }),
  )

const COUNTERS: ReadonlyArray<readonly [name: string, help: string, of: Value]> = [
  ["tidemark_messages_received_total", "Messages read from the stream.", ({ received }) => received],
  ["tidemark_events_stored_total", "Events inserted in the normal run.", ({ stored }) => stored],
  ["tidemark_events_repeated_total", "Repeats that were found by look-up.", ({ repeats }) => repeats],
  [
    "tidemark_events_erased_total",
    "Events of people who were erased; they are not stored.",
    ({ erased }) => erased,
  ],
  [
    "tidemark_events_forwarded_total",
    "Events of tenants of other streams, sent on to these.",
    ({ forwarded }) => forwarded,
  ],
  ["tidemark_rows_repaired_total", "Raw rows inserted or deleted by repairs.", (of) => of.rowsRepaired],
  ["tidemark_rollup_keys_repaired_total", "Rollup keys corrected.", (of) => of.rollupKeysRepaired],
  ["tidemark_messages_gone_total", "Messages that left the stream unproved.", (of) => of.messagesGone],
  [
    "tidemark_generations_total",
    "Times the stream went back or was made anew.",
    ({ generations }) => generations,
  ],
]

const GAUGES: ReadonlyArray<readonly [name: string, help: string, of: Value]> = [
  ["tidemark_writer_owner", "1 while this writer owns the stream.", ({ owner }) => owner],
  ["tidemark_committed_sequence", "Everything up to here is stored or refused.", (of) => of.committed],
  ["tidemark_lag_events", "Messages that wait; absent while unknown.", ({ lagEvents }) => lagEvents],
  [
    "tidemark_lag_seconds",
    "Age of the oldest message that waits; absent while unknown.",
    ({ lagSeconds }) => lagSeconds,
  ],
  [
    "tidemark_stream_seconds_to_loss",
    "Until the stream drops the oldest message that is not stored; absent when none waits and while unknown.",
    ({ secondsToLoss }) => secondsToLoss,
  ],
  [
    "tidemark_stream_max_age_seconds",
    "The stream drops what is older, stored or not; absent without a limit and while unknown.",
    ({ maxAge }) => maxAge,
  ],
]

/** Seconds since then; 0 for what is not there. */
const ageOf = (at: number | undefined): number =>
  at === undefined ? 0 : Math.max(0, (Date.now() - at) / 1000)

/** The text format of Prometheus, by stream. A lag that is unknown is left out, which an alert can tell from 0. */
export const renderWriterMetrics = ({ streams, otherLetters, openLetters }: ProcessMetrics): string => {
  const all = [...streams]
  const letters = [...all.map(([stream, { deadLetters }]) => [stream, deadLetters] as const), ...otherLetters]
  return [
    ...COUNTERS.flatMap(([name, help, of]) => byStream(all, [name, "counter", help, of])),
    ...labelled(
      "tidemark_dead_letters_total",
      "reason",
      "Messages that were refused: actions, events of the directory, records of the audit log.",
      letters,
    ),
    ...one(
      "tidemark_dead_letters_open",
      "gauge",
      "Dead letters that were neither replayed nor discarded; told by the owner of the first stream, absent while unknown.",
      openLetters?.count,
    ),
    ...one(
      "tidemark_dead_letters_oldest_open_seconds",
      "gauge",
      "Since the oldest of them was refused; 0 when there is none.",
      openLetters === undefined ? undefined : ageOf(openLetters.oldest),
    ),
    ...labelled(
      "tidemark_batches_total",
      "trigger",
      "Batches by what cut them.",
      all.map(([stream, { batches }]) => [stream, batches] as const),
    ),
    ...labelled(
      "tidemark_doubts_total",
      "cause",
      "Times the store had to be proved.",
      all.map(([stream, { doubts }]) => [stream, doubts] as const),
    ),
    ...histogram(all, "tidemark_batch_rows", "Rows of each batch.", ({ batchRows }) => batchRows),
    ...histogram(
      all,
      "tidemark_insert_seconds",
      "Seconds until the store had acknowledged a batch.",
      ({ insertSeconds }) => insertSeconds,
    ),
    ...GAUGES.flatMap(([name, help, of]) => byStream(all, [name, "gauge", help, of])),
    ...family("tidemark_writer_memory_bytes", "gauge", "Resident memory.", [
      line("tidemark_writer_memory_bytes", process.memoryUsage.rss()),
    ]),
    "",
  ].join("\n")
}
