import { DiscardPolicy, RetentionPolicy, StorageType } from "@nats-io/jetstream"
import { Effect } from "effect"
import { actionStreams, idleSubject, isOfActions, subjectsOf } from "#schemas/partitions.ts"
import { attemptNats, Nats, type NatsError } from "./connection.ts"
import { ensureStream, findStream, type TopologyError, type Wanted } from "./ensure-stream.ts"
import { findActionStreams } from "./partitions.ts"

/** What an operator may choose about the streams. Durations in milliseconds. */
export interface TopologyOptions {
  /** The broker drops a repeat of a message id within it. */
  readonly duplicateWindow: number
  /** How long the replay log of actions is kept. */
  readonly actionsMaxAge: number
  readonly replicas: number
  /** How many streams the actions are to be in, where nothing has been decided yet. */
  readonly partitions: number
}

const NANOS = 1_000_000

const actionStream = (
  { duplicateWindow, actionsMaxAge, replicas }: TopologyOptions,
  name: string,
  subjects: ReadonlyArray<string>,
): Wanted => ({
  name,
  subjects: [...subjects],
  retention: RetentionPolicy.Limits,
  storage: StorageType.File,
  discard: DiscardPolicy.Old,
  num_replicas: replicas,
  max_age: actionsMaxAge * NANOS,
  // Well above an event's limit, so that what is too large is dead-lettered rather than lost at the producer.
  max_msg_size: 256 * 1024,
  duplicate_window: duplicateWindow * NANOS,
})

/** The streams of so many partitions. What one that exists takes is left as it is: others may take it now. */
export const ensureActionStreams = Effect.fn("ensureActionStreams")(function* (
  options: TopologyOptions,
  partitions: number,
  mayChange: boolean,
): Effect.fn.Return<void, NatsError | TopologyError, Nats> {
  for (const name of actionStreams(partitions)) {
    const found = yield* findStream(name)
    const have = found?.config.subjects ?? []
    // Somebody else's subjects are not to be given up when the number changes: such a stream is refused.
    const subjects = have.length > 0 && have.every(isOfActions) ? have : subjectsOf(name, partitions)
    yield* ensureStream(actionStream(options, name, subjects), mayChange)
  }
})

/**
 * Makes the streams that so many partitions lack; they take nothing yet. Those that were left behind by another number may have
 * the duplicate window of then, by which nobody reckons any more.
 */
export const addActionStreams = Effect.fn("addActionStreams")(function* (
  options: TopologyOptions,
  partitions: number,
): Effect.fn.Return<void, NatsError | TopologyError, Nats> {
  for (const name of actionStreams(partitions)) {
    const subjects = (yield* findStream(name))?.config.subjects ?? [idleSubject(name)]
    yield* ensureStream(actionStream(options, name, subjects), true)
  }
})

const isSame = (a: ReadonlyArray<string>, b: ReadonlyArray<string>): boolean =>
  a.length === b.length && a.every((subject) => b.includes(subject))

/** The streams whose subjects are not those of so many partitions. */
export const findMisarranged = Effect.fn("findMisarranged")(function* (
  partitions: number,
): Effect.fn.Return<
  ReadonlyArray<{ readonly name: string; readonly have: ReadonlyArray<string> }>,
  NatsError,
  Nats
> {
  const { manager } = yield* Nats
  const found: Array<{ readonly name: string; readonly have: ReadonlyArray<string> }> = []
  for (const name of yield* findActionStreams()) {
    const { config } = yield* attemptNats(`look up stream ${name}`, () => manager.streams.info(name))
    if (!isSame(config.subjects, subjectsOf(name, partitions))) found.push({ name, have: config.subjects })
  }
  return found
})

const setSubjects = Effect.fnUntraced(function* (name: string, subjects: ReadonlyArray<string>) {
  const { manager } = yield* Nats
  yield* attemptNats(`change what stream ${name} takes`, () =>
    manager.streams.update(name, { subjects: [...subjects] }),
  )
})

/**
 * Gives each stream the subjects of so many partitions; no message is dropped. Two streams cannot take the same, so all give
 * up what is not theirs before any takes more; what is published in between is not acknowledged, and sent again.
 */
export const arrangeActionStreams = Effect.fn("arrangeActionStreams")(function* (
  partitions: number,
): Effect.fn.Return<void, NatsError, Nats> {
  for (const { name, have } of yield* findMisarranged(partitions)) {
    const wanted = subjectsOf(name, partitions)
    const kept = have.filter((subject) => wanted.includes(subject))
    if (kept.length < have.length) yield* setSubjects(name, kept.length === 0 ? [idleSubject(name)] : kept)
  }
  for (const { name } of yield* findMisarranged(partitions))
    yield* setSubjects(name, subjectsOf(name, partitions))
})
