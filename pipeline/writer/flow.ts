import { Deferred, Effect, FiberSet, Queue, Semaphore } from "effect"
import { originalSubject } from "#schemas/partitions.ts"
import { SENT_ON_HEADER } from "#schemas/sent-on.ts"
import { attemptNats, Nats } from "#nats/connection.ts"
import { StreamReader } from "#nats/reader.ts"
import type { ActionRow } from "./action-row.ts"
import { type Batch, Batcher } from "./batch.ts"
import { Writer } from "./context.ts"
import { CONFLICT } from "./dead-letters.ts"
import { forward } from "./forward.ts"
import { type EncodedInsert, encodeInserts, sendInserts } from "./insert.ts"
import { isHandOver } from "./lease.ts"
import { count, type DoubtCause, observe } from "./metrics.ts"
import { type Identity, identityOf, lookUp, mayRepeat, sortRepeats } from "./repeats.ts"
import { noteQuality } from "./quality.ts"
import type { Range } from "./read-range.ts"
import { bury, closeHorizon, ownRecord } from "./settle.ts"
import { isUnanswered, rememberUnanswered } from "./unanswered.ts"

/** Inserts under way at once. The next batch is decoded and encoded meanwhile. */
const INSERTS = 2
/** Batches between their look-up and their commit; `walk-back.ts` relies on it, memory too. */
const UNDER_WAY = 3
/** Less than the largest message would never deliver it. */
const LEAST_WINDOW_BYTES = 512 * 1024
/** Sealed batches that wait; beyond it the reader asks for no more, so memory is bounded whatever the backlog. */
const SEALED = 1
/** The horizon goes up by this many batches at a time, so the ledger costs a write now and then, not one a batch. */
const HORIZON_BATCHES = 8
const HORIZON_LEAST = 1000
const TICK = 25
/** How long a drain waits for inserts under way; what is left after it is doubt. */
const DRAIN = "4 seconds"
/** How long it may take to write down how far a run came; what is not written down is proved again. */
const LAST_WORD = "2 seconds"

/** A batch between its look-up and its commit. */
interface UnderWay {
  readonly last: Batch["last"]
  readonly messages: number
  /** By these later batches tell their repeats; the rows themselves are encoded and gone. */
  readonly identities: ReadonlyArray<Identity>
  done: boolean
}

/** Conflicting rows become dead letters; their bytes are read again, since batches do not keep them. */
const buryConflicts = Effect.fnUntraced(function* (conflicts: ReadonlyArray<ActionRow>) {
  const { options } = yield* Writer
  const { manager } = yield* Nats
  for (const row of conflicts) {
    const message = yield* attemptNats("read a conflicting message", () =>
      manager.streams.getMessage(options.stream, { seq: row.seq }),
    )
    if (message === null) continue
    yield* bury([
      {
        stream: options.stream,
        message: {
          seq: message.seq,
          receivedAt: message.time.getTime(),
          subject: originalSubject(message.subject),
          messageId: message.header.get("Nats-Msg-Id"),
          sentOn: message.header.get(SENT_ON_HEADER) || undefined,
          payload: message.data,
        },
        reason: "id_conflict",
        detail: CONFLICT,
      },
    ])
  }
})

/** Nobody will ever store these: said, not skipped. */
const noteGap = Effect.fnUntraced(function* ({ from, to }: Range) {
  const { options, metrics } = yield* Writer
  const { generation } = yield* ownRecord
  metrics.messagesGone += to - from + 1
  yield* noteQuality({
    stream: options.stream,
    kind: "messages_gone",
    generation,
    fromSeq: from,
    toSeq: to,
    detail: `messages ${from} to ${to} left the stream before they were read`,
  })
})

/** The rows of a batch that are to be inserted: without what is stored or on its way already. */
const withoutRepeats = Effect.fnUntraced(function* (batch: Batch, before: ReadonlyArray<UnderWay>) {
  const { metrics } = yield* Writer
  const record = yield* ownRecord
  const rule = {
    duplicateWindow: record.duplicate_window,
    maxClockAhead: record.max_clock_ahead,
    lookUpAllUntil: record.look_up_all_until,
  }
  const suspects = new Set(batch.rows.filter((row) => mayRepeat(row, rule)))
  if (suspects.size === 0) return batch.rows
  const stored = yield* lookUp([...suspects])
  const sorted = sortRepeats(
    batch.rows,
    (row) => suspects.has(row),
    stored,
    before.flatMap(({ identities }) => identities),
  )
  yield* buryConflicts(sorted.conflicts)
  metrics.repeats += sorted.repeats
  return sorted.fresh
})

/**
 * The normal run: reads on from `committed`, batch by batch, several on their way at once, and returns as soon as
 * something is in doubt, which others may signal too. However it ends, it waits for its own inserts and writes down how far it came.
 */
export const flow = Effect.fn("flow")(function* (doubt: Deferred.Deferred<DoubtCause>) {
  const { connection, manager } = yield* Nats
  const { ledger, judge, options, metrics, isOwn } = yield* Writer
  const start = yield* ownRecord
  const sealed = yield* Queue.unbounded<Batch>()
  const permits = yield* Semaphore.make(INSERTS)
  const places = yield* Semaphore.make(UNDER_WAY)
  const underWay: Array<UnderWay> = []
  const inserts = yield* FiberSet.make()
  const batcher = new Batcher(judge, options.stream, options.batch, isOwn)
  let committed: Batch["last"] | undefined
  let expected = start.committed + 1
  /** Sequences that were never delivered: their messages left the stream unread. */
  const gaps: Array<Range> = []

  const offer = (batch: Batch | undefined) => {
    if (batch === undefined) return
    count(metrics.batches, batch.trigger)
    Queue.offerUnsafe(sealed, batch)
    if (Queue.sizeUnsafe(sealed) >= SEALED) reader.pause()
  }
  const reader = StreamReader.open(connection, manager, {
    stream: options.stream,
    from: start.committed + 1,
    window: Math.min(options.batch.rows, 8192),
    windowBytes: Math.max(LEAST_WINDOW_BYTES, Math.min(options.batch.bytes, 8 * 1024 * 1024)),
    onMessage: (message, waiting) => {
      metrics.received++
      if (message.seq > expected) gaps.push({ from: expected, to: message.seq - 1 })
      expected = message.seq + 1
      metrics.lagEvents = message.seq + waiting - (metrics.committed ?? 0)
      offer(batcher.add(message, Date.now()))
    },
  })
  const ticker = setInterval(() => {
    // While another waits for the store this one had better grow: a slow store would get ever more, and smaller, inserts.
    if (Queue.sizeUnsafe(sealed) === 0) offer(batcher.tick(Date.now()))
  }, TICK)

  /** Everything up to the first batch that is not done; returns how many that was. */
  const advance = (): number => {
    let batches = 0
    for (let head = underWay[0]; head?.done === true; head = underWay[0]) {
      committed = head.last
      metrics.committed = committed.seq
      metrics.lagEvents = Math.max(0, (metrics.lagEvents ?? 0) - head.messages)
      underWay.shift()
      batches++
    }
    return batches
  }
  const commit = Effect.suspend(() => {
    const last = committed
    if (last === undefined || last.seq <= (ledger.current()?.committed ?? 0)) return Effect.void
    return Effect.asVoid(
      ledger.change((record) => ({
        ...record,
        committed: last.seq,
        committed_id: last.messageId ?? "",
        committed_at: last.receivedAt,
      })),
    )
  })
  /** Nothing beyond the horizon is ever attempted. */
  const raise = Effect.fnUntraced(function* (batch: Batch) {
    if (batch.last.seq <= (yield* ownRecord).horizon) return
    const ahead = Math.max(HORIZON_LEAST, HORIZON_BATCHES * batch.messages)
    yield* commit
    yield* ledger.change((record) => ({ ...record, horizon: batch.last.seq + ahead }))
  })
  const insert = Effect.fn("insert")(function* (
    batch: Batch,
    under: UnderWay,
    encoded: ReadonlyArray<EncodedInsert>,
  ) {
    const began = performance.now()
    yield* sendInserts(encoded, yield* ownRecord, { ignoreViews: false })
    under.done = true
    const seconds = (performance.now() - began) / 1000
    observe(metrics.insertSeconds, seconds)
    observe(metrics.batchRows, under.identities.length)
    metrics.stored += under.identities.length
    const batches = advance()
    if (batches > 0) yield* Semaphore.release(places, batches)
    yield* Effect.logInfo("batch").pipe(
      Effect.annotateLogs({
        trigger: batch.trigger,
        from: batch.first,
        to: batch.last.seq,
        messages: batch.messages,
        rows: under.identities.length,
        refused: batch.letters.length,
        forwarded: batch.astray.length,
        erased: batch.erased,
        insert_ms: Math.round(seconds * 1000),
        lag: metrics.lagEvents,
      }),
    )
  })
  const raiseDoubt = (cause: DoubtCause) => (error: { readonly message: string }) =>
    Effect.logWarning(`in doubt: ${error.message}`).pipe(
      Effect.annotateLogs({ cause }),
      Effect.andThen(Deferred.succeed(doubt, cause)),
      Effect.asVoid,
    )

  const process = Effect.forever(
    Effect.gen(function* () {
      const batch = yield* Queue.take(sealed)
      if (Queue.sizeUnsafe(sealed) < SEALED) reader.resume()
      for (const gap of gaps.splice(0)) yield* noteGap(gap).pipe(Effect.tapError(raiseDoubt("ledger_failed")))
      metrics.erased += batch.erased
      yield* bury(batch.letters).pipe(Effect.tapError(raiseDoubt("dead_letter_failed")))
      const refused = yield* forward(batch.astray).pipe(Effect.tapError(raiseDoubt("forward_failed")))
      yield* bury(refused).pipe(Effect.tapError(raiseDoubt("dead_letter_failed")))
      const rows = yield* withoutRepeats(batch, [...underWay]).pipe(
        Effect.tapError(raiseDoubt("lookup_failed")),
      )
      yield* raise(batch).pipe(Effect.tapError(raiseDoubt("ledger_failed")))
      const { last, messages } = batch
      const under: UnderWay = { last, messages, identities: rows.map(identityOf), done: false }
      const encoded = encodeInserts(rows, yield* ownRecord)
      yield* Semaphore.take(places, 1)
      yield* Semaphore.take(permits, 1)
      underWay.push(under)
      yield* FiberSet.run(
        inserts,
        insert(batch, under, encoded).pipe(
          Effect.tapError((error) => (isUnanswered(error) ? rememberUnanswered : Effect.void)),
          Effect.onInterrupt(() => rememberUnanswered),
          Effect.tapError(raiseDoubt("insert_failed")),
          Effect.ensuring(Semaphore.release(permits, 1)),
        ),
      )
    }),
  )

  const drain = Effect.gen(function* () {
    clearInterval(ticker)
    reader.stop()
    const drained = yield* FiberSet.awaitEmpty(inserts).pipe(Effect.timeoutOption(DRAIN))
    const cause = (yield* Deferred.isDone(doubt)) ? yield* Deferred.await(doubt) : undefined
    const isSound = cause === undefined || isHandOver(cause)
    const isWhole = drained._tag === "Some" && underWay.length === 0 && isSound
    yield* commit.pipe(Effect.andThen(isWhole ? closeHorizon : Effect.void), Effect.timeout(LAST_WORD))
  }).pipe(Effect.catch((error) => Effect.logWarning(`drain: ${error.message}`)))

  return yield* Deferred.await(doubt).pipe(
    Effect.raceFirst(process),
    // The doubt is told; what failed is what `settle` will meet again.
    Effect.catch(() => Deferred.await(doubt)),
    Effect.raceFirst(Effect.forever(commit.pipe(Effect.andThen(Effect.sleep("500 millis"))))),
    Effect.ensuring(drain),
  )
}, Effect.scoped)
