import { Effect } from "effect"
import type { ClickHouse, ClickHouseError } from "#clickhouse"
import { SUBJECTS } from "#schemas/names.ts"
import { attemptNats, Nats, type NatsError } from "#nats/connection.ts"
import type { StreamMessage } from "#nats/reader.ts"
import type { ActionRow } from "./action-row.ts"
import { isBuried, readBuried } from "./buried.ts"
import { Writer } from "./context.ts"
import { CONFLICT, type DeadLetter, publishDeadLetters } from "./dead-letters.ts"
import { endAttempts } from "./fence.ts"
import { type Astray, forward } from "./forward.ts"
import { type Gone, goneOf } from "./gone.ts"
import { LeaseLost } from "./ledger.ts"
import { count } from "./metrics.ts"
import { noteQuality, scopeOfStored } from "./quality.ts"
import { readRange } from "./read-range.ts"
import { repairRaw } from "./repair.ts"
import { idKey, lookUp, touched } from "./repeats.ts"
import { repairRollups } from "./repair-rollups.ts"
import { ownScope } from "./scope.ts"
import { settleUnproved } from "./unproved.ts"

type Failure = ClickHouseError | NatsError | LeaseLost

/** The owner's record; the loss of it ends everything that is under way. */
export const ownRecord = Effect.gen(function* () {
  const { ledger, options } = yield* Writer
  const record = ledger.current()
  if (record === undefined) return yield* new LeaseLost({ stream: options.stream, owner: "nobody" })
  return record
})

/** Messages sorted into rows, dead letters, and events of tenants of other streams. */
export const judgeAll = (
  messages: ReadonlyArray<StreamMessage>,
): Effect.Effect<
  {
    readonly rows: ReadonlyArray<ActionRow>
    readonly letters: ReadonlyArray<DeadLetter>
    readonly astray: ReadonlyArray<Astray>
  },
  never,
  Writer
> =>
  Effect.map(Writer, ({ judge, options, isOwn }) => {
    const rows: Array<ActionRow> = []
    const letters: Array<DeadLetter> = []
    const astray: Array<Astray> = []
    for (const message of messages) {
      const judged = judge.judge(message)
      if (judged.ok)
        if (isOwn(judged.row.tenant)) rows.push(judged.row)
        else astray.push({ row: judged.row, message })
      else if (judged.reason !== "erased")
        letters.push({ stream: options.stream, message, reason: judged.reason, detail: judged.detail })
    }
    return { rows, letters, astray }
  })

const letterFor = (
  stream: string,
  messages: ReadonlyArray<StreamMessage>,
  reason: "id_conflict" | "rejected_by_store",
  detail: string,
) => {
  const bySeq = new Map(messages.map((message) => [message.seq, message]))
  return (row: ActionRow): ReadonlyArray<DeadLetter> => {
    const message = bySeq.get(row.seq)
    return message === undefined ? [] : [{ stream, message, reason, detail }]
  }
}

/** Publishes dead letters and counts them. */
export const bury = Effect.fnUntraced(function* (letters: ReadonlyArray<DeadLetter>) {
  const { publisher, metrics } = yield* Writer
  if (letters.length === 0) return
  const { generation } = yield* ownRecord
  yield* publishDeadLetters(publisher, SUBJECTS.actions, generation, letters)
  for (const { reason } of letters) count(metrics.deadLetters, reason)
})

/**
 * The dead letters that are not there yet. What is judged again has one, mostly, whose id the broker knows for a day only; or it
 * was stored the first time.
 */
const notBuried = Effect.fnUntraced(function* (letters: ReadonlyArray<DeadLetter>) {
  const { options } = yield* Writer
  const { generation, judged = 0 } = yield* ownRecord
  const again = letters.filter(({ message }) => message.seq <= judged)
  if (again.length === 0) return letters
  const since = again.reduce((first, { message }) => Math.min(first, message.receivedAt), Infinity)
  const buried = yield* readBuried({ stream: options.stream, generation }, since)
  return letters.filter(({ message }) => message.seq > judged || !isBuried(buried, message))
})

/** A range some of whose messages have left the stream: what raw has of it is kept and its rollups are made right. */
const settleGone = Effect.fnUntraced(function* ({ from, to, doubtful }: Gone) {
  const { ledger, options } = yield* Writer
  const record = yield* ownRecord
  const { generation } = record
  const { stream } = options
  if (doubtful > 0)
    yield* noteQuality({
      stream,
      kind: "messages_gone",
      generation,
      fromSeq: from,
      toSeq: to,
      detail: `${doubtful} messages from ${from} to ${to} left the stream before they were known to be stored; what the store has of them is kept`,
    })
  const scope = yield* ownScope(yield* scopeOfStored({ stream, generation, from, to }))
  yield* repairRollups(scope, () => ledger.current() ?? record)
})

/**
 * Sends on what the store holds under no sequence of any stream, and gives the dead letters of what the other owner would refuse
 * for its id: sent on, that would be another message there with every start.
 */
const forwardMissing = Effect.fnUntraced(function* (astray: ReadonlyArray<Astray>) {
  if (astray.length === 0) return []
  const { options } = yield* Writer
  const stored = yield* lookUp(astray.map(({ row }) => row))
  const timesOf = ({ tenant, event }: ActionRow) =>
    (stored.get(idKey(tenant, event.id)) ?? []).map(({ time }) => time)
  const refused = yield* forward(astray.filter(({ row }) => timesOf(row).length === 0))
  const conflicts = astray.flatMap(({ row, message }): ReadonlyArray<DeadLetter> => {
    const times = timesOf(row)
    return times.length === 0 || times.includes(row.time)
      ? []
      : [{ stream: options.stream, message, reason: "id_conflict", detail: CONFLICT }]
  })
  return [...refused, ...conflicts]
})

/** Proves and repairs the rows of some messages and the rollups of what they touch. */
export const settleMessages = Effect.fn("settleMessages")(function* (messages: ReadonlyArray<StreamMessage>) {
  const { ledger, options, metrics } = yield* Writer
  const record = yield* ownRecord
  const current = () => ledger.current() ?? record
  const { rows, letters, astray } = yield* judgeAll(messages)
  const elsewhere = yield* forwardMissing(astray)
  const repaired = yield* repairRaw(rows, current)
  const refused = [
    ...letters,
    ...elsewhere,
    ...repaired.conflicts.flatMap(letterFor(options.stream, messages, "id_conflict", CONFLICT)),
    ...repaired.rejected.flatMap(
      letterFor(options.stream, messages, "rejected_by_store", "the store refuses this row's values"),
    ),
  ]
  yield* bury(yield* notBuried(refused))
  const keys = yield* repairRollups(yield* ownScope(touched(rows)), current)
  metrics.rowsRepaired += repaired.inserted + repaired.deleted
  metrics.rollupKeysRepaired += keys
  return { ...repaired, keys }
})

/** An election is over by then, or the connection to who led before is. */
const CONFIRM = "1 second"

/**
 * What comes from now on nobody has attempted, so that a horizon far ahead is not waited for, piece by small piece. A cluster is
 * asked twice: a server that led until just now may answer from the past.
 */
const boundHorizon = Effect.gen(function* () {
  const { ledger, options } = yield* Writer
  const { manager } = yield* Nats
  const look = attemptNats("look at the stream", () => manager.streams.info(options.stream))
  const { config, state } = yield* look
  const { committed, horizon } = yield* ownRecord
  if (state.last_seq >= horizon) return
  const last =
    config.num_replicas === 1 ? state.last_seq : (yield* Effect.delay(look, CONFIRM)).state.last_seq
  const end = Math.max(committed, state.last_seq, last)
  if (end < horizon) yield* ledger.change((record) => ({ ...record, horizon: end }))
})

/**
 * Doubt, prove, repair: ends whatever attempts are alive, then makes the store right for everything between `committed`
 * and `horizon`, piece by piece, and commits each piece. The one mechanism behind a failed insert, a crash, a restart
 * and a take-over. It can itself be broken off anywhere and begun again.
 */
export const settle = Effect.fn("settle")(function* (): Effect.fn.Return<
  void,
  Failure,
  Writer | ClickHouse | Nats
> {
  const { ledger, options, metrics } = yield* Writer
  yield* endAttempts(options.stream)
  yield* boundHorizon
  yield* settleUnproved()
  let isConfirmed = false
  for (;;) {
    const { committed, horizon, judged = 0 } = yield* ownRecord
    if (committed >= horizon) return
    const read = yield* readRange(
      { stream: options.stream, from: committed + 1, to: horizon },
      { rows: options.batch.rows, bytes: options.batch.bytes },
    )
    const last = read.messages.at(-1)
    // Behind the last message there is what has left the stream, or a horizon that reaches ahead of it.
    const end = last?.seq ?? Math.min(horizon, read.last)
    // The stream did not end there: whoever answered may have led until just now.
    if (last === undefined && end < horizon && !isConfirmed) {
      isConfirmed = true
      yield* Effect.sleep(CONFIRM)
      continue
    }
    const settled = last === undefined ? undefined : yield* settleMessages(read.messages)
    // Where the store lacked what was committed, what has left the stream is not known to be there.
    const known = settled !== undefined && settled.firstInserted <= judged ? 0 : judged
    const gone = goneOf({ from: committed + 1, to: end }, read.messages, known)
    if (gone !== undefined) yield* settleGone(gone)
    // Counted once it is committed: what is broken off is done again.
    const doubtful = gone?.doubtful ?? 0
    if (last === undefined || settled === undefined) {
      if (end > committed)
        yield* ledger.change((record) => ({ ...record, committed: end, committed_id: "", committed_at: 0 }))
      metrics.messagesGone += doubtful
      yield* closeHorizon
      return
    }
    isConfirmed = false
    const { inserted, deleted, keys } = settled
    yield* ledger.change((record) => ({
      ...record,
      committed: last.seq,
      committed_id: last.messageId ?? "",
      committed_at: last.receivedAt,
    }))
    metrics.messagesGone += doubtful
    yield* Effect.logInfo("settled").pipe(
      Effect.annotateLogs({ from: committed + 1, to: last.seq, inserted, deleted, keys }),
    )
  }
})

/** Nothing beyond `committed` is attempted any more: no doubt is left. */
export const closeHorizon = Effect.gen(function* () {
  const { ledger } = yield* Writer
  yield* ledger.change((record) => ({ ...record, horizon: record.committed }))
})
