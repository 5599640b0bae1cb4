import { Effect, Queue, Schedule } from "effect"
import { ClickHouse, type ClickHouseError } from "#clickhouse"
import type { Refusal, RefusalReason } from "#schemas/refusal.ts"
import { attemptNats, Nats, type NatsError } from "#nats/connection.ts"
import { nextSequence } from "#nats/next-message.ts"
import { Publisher } from "#nats/publisher.ts"
import { type StreamMessage, StreamReader } from "#nats/reader.ts"
import { publishDeadLetters } from "../writer/dead-letters.ts"
import { count } from "../writer/metrics.ts"
import { insertRows, type TableRow } from "./insert-rows.ts"

/** A message as a row, or why it becomes a dead letter. */
export type Applied = { readonly row: TableRow } | { readonly refusal: Refusal }

/** A stream whose rows may be written again without harm. */
interface Application {
  /** For the log. */
  readonly service: string
  readonly stream: string
  /** What its subjects begin with. */
  readonly subjects: string
  /** The table (stream, created, stream_seq) that says how far the store has applied it. */
  readonly progress: string
  /** At each beginning, when it is known from where on the stream is read: what comes before stands in the store. */
  readonly prepare: Effect.Effect<void, ClickHouseError, ClickHouse>
  /** Called as a message arrives, before it is stored. */
  readonly judge: (message: StreamMessage) => Applied
  /** Where dead letters are counted. */
  readonly refused?: Map<RefusalReason, number>
}

interface Judged {
  readonly message: StreamMessage
  readonly applied: Applied
  /** Nothing waited behind it. */
  readonly isLast: boolean
}

const AT_ONCE = 5000
const WINDOW = 1000
/** How often stream and store are looked at while nothing comes. */
const LOOK_EVERY = "2 seconds"

const backoff = Schedule.min([Schedule.exponential("200 millis"), Schedule.spaced("5 seconds")]).pipe(
  Schedule.jittered,
)

/**
 * Applies a stream to the store for ever, at least once; the position is kept in the store, beside the rows. It is
 * asked, not the broker, so that a restored store reads on from where its own rows end. `onCaughtUp` is called when
 * everything that the stream held at the start is applied.
 */
export const applyStream = Effect.fn("applyStream")(function* (
  { service, stream, subjects, progress, prepare, judge, refused = new Map() }: Application,
  onCaughtUp: () => void,
): Effect.fn.Return<never, never, ClickHouse | Nats> {
  const { connection, manager } = yield* Nats
  const publisher = Publisher.open(connection)

  const look = attemptNats(`look at stream ${stream}`, () => manager.streams.info(stream))

  const readProgress = Effect.fnUntraced(function* (created: string) {
    const store = yield* ClickHouse
    const rows = yield* store.query<{ seq: number }>(
      `SELECT max(stream_seq) AS seq FROM ${progress}
       WHERE stream = {stream:String} AND created = {created:String}`,
      { params: { stream, created } },
    )
    return rows[0]?.seq ?? 0
  })

  const apply = Effect.fnUntraced(function* (judged: ReadonlyArray<Judged>, created: string) {
    const letters = judged.flatMap(({ message, applied }) =>
      "refusal" in applied
        ? [{ stream, message, reason: applied.refusal.reason, detail: applied.refusal.detail }]
        : [],
    )
    const rows = judged.flatMap(({ applied }) => ("row" in applied ? [applied.row] : []))
    yield* publishDeadLetters(publisher, subjects, 1, letters)
    for (const { reason } of letters) count(refused, reason)
    yield* insertRows(rows)
    yield* insertRows([
      { table: progress, row: { stream, created, stream_seq: judged.at(-1)?.message.seq ?? 0 } },
    ])
  })

  /** Whether stream and store still are the ones that were read and written: neither made anew nor put back. */
  const isSame = Effect.fnUntraced(function* (created: string, applied: number) {
    const info = yield* look
    return (
      info.created === created && info.state.last_seq >= applied && (yield* readProgress(created)) >= applied
    )
  })

  /** Applies the stream from where the store's rows end, until one of the two is another one. */
  const follow = Effect.gen(function* () {
    const { created, state } = yield* look
    const position = yield* readProgress(created)
    // Not before: another process may be applying, and what it applies in between would neither be prepared nor read.
    yield* prepare
    // A stream that ends before the position is another one: apply it from its beginning.
    const from = position > state.last_seq ? 1 : position + 1
    /** Whether all that the stream held at the start is applied. Its leader is asked: a reader's server may lag behind. */
    const isAllApplied = (applied: number) =>
      attemptNats(`look for messages of ${stream}`, () => nextSequence(manager, stream, applied + 1)).pipe(
        Effect.map((next) => next === undefined || next > state.last_seq),
      )
    if (yield* isAllApplied(from - 1)) onCaughtUp()
    const queue = yield* Queue.unbounded<Judged>()
    const reader = yield* Effect.acquireRelease(
      Effect.sync(() =>
        StreamReader.open(connection, manager, {
          stream,
          from,
          window: WINDOW,
          windowBytes: 4 * 1024 * 1024,
          onMessage: (message, waiting) => {
            Queue.offerUnsafe(queue, { message, applied: judge(message), isLast: waiting === 0 })
            if (Queue.sizeUnsafe(queue) >= AT_ONCE) reader.pause()
          },
        }),
      ),
      (reader) => Effect.sync(() => reader.stop()),
    )
    for (let applied = from - 1; ;) {
      const taken = yield* Queue.takeBetween(queue, 1, AT_ONCE).pipe(Effect.timeoutOption(LOOK_EVERY))
      if (!(yield* isSame(created, applied))) {
        yield* Effect.logWarning(
          `stream ${stream} or its store is another one; applying from where the store ends`,
        )
        return
      }
      if (taken._tag === "None") continue
      reader.resume()
      yield* apply(taken.value, created)
      applied = taken.value.at(-1)?.message.seq ?? applied
      if (taken.value.some(({ isLast }) => isLast) && (yield* isAllApplied(applied))) onCaughtUp()
    }
  })

  return yield* follow.pipe(
    Effect.scoped,
    Effect.tapError((error: ClickHouseError | NatsError) => Effect.logWarning(error.message)),
    Effect.retry(backoff),
    // The schedule never ends.
    Effect.orDie,
    Effect.forever,
    Effect.annotateLogs({ service }),
  )
})
