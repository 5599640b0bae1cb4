import { Schema } from "effect"

const ForOperator = (what: string) =>
  Schema.NullOr(Schema.Int).annotate({ description: `${what} The operator's alone; else null.` })
const At = Schema.String.annotate({ format: "date-time" })
const IsExact = Schema.Boolean.annotate({ description: "The last comparison found no difference." })

/** What audits and the writer say of how right the numbers are. */
export const DataQuality = Schema.Struct({
  data: Schema.Struct({
    is_exact: Schema.NullOr(Schema.Boolean).annotate({
      description: "Every audit's last word is that nothing differs; null while nothing was audited.",
    }),
    streams: Schema.Array(
      Schema.Struct({
        stream: Schema.String,
        generation: Schema.Int.annotate({
          description: "The life of the stream that its sequences belong to.",
        }),
        audited_at: At,
        is_exact: IsExact,
        proved_through: ForOperator(
          "Every message up to this sequence is a row, a repeat of one, or a dead letter.",
        ),
        differences: ForOperator("Messages and rows that do not fit each other."),
        gone: ForOperator(
          "Sequences that had left the stream before they were compared: their rows are proved against the rollups alone.",
        ),
      }),
    ).annotate({ description: "The streams of actions, each compared with the raw table." }),
    months: Schema.Array(
      Schema.Struct({
        month: Schema.String.annotate({ description: "In UTC, such as 2026-11." }),
        audited_at: At,
        is_exact: IsExact,
        differences: ForOperator("Keys of rollups that are not what the raw table sums up to."),
      }),
    ).annotate({ description: "Months of the raw table, each compared with every rollup." }),
    notes: Schema.Array(
      Schema.Struct({
        at: At,
        kind: Schema.String.annotate({
          description: "What it is: `messages_gone`, `new_generation`, `audit_differences`.",
        }),
        stream: Schema.String,
        detail: Schema.NullOr(Schema.String).annotate({
          description: "In words. The operator's alone; else null.",
        }),
      }),
    ).annotate({
      description: "What the pipeline could not prove or had to decide, newest first, a hundred at most.",
    }),
  }),
  meta: Schema.Struct({ request_id: Schema.String }),
}).annotate({ identifier: "DataQuality" })
export type DataQuality = typeof DataQuality.Type
