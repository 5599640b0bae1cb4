import { Console, Effect, Option, Schema } from "effect"
import { Flag } from "effect/cli"
import { parseTime } from "#schemas/time.ts"
import type { Nats, NatsError } from "#nats/connection.ts"
import { sequenceAt } from "#nats/sequence-at.ts"
import { lifeOf } from "../../pipeline/audit/committed-range.ts"
import type { ActionWriters } from "../writer-options.ts"

/** What a flag names does not exist. */
export class FlagError extends Schema.TaggedError<FlagError>()("FlagError", {
  flag: Schema.String,
  found: Schema.String,
  expected: Schema.String,
}) {
  override get message(): string {
    return `--${this.flag} is ${this.found}; expected ${this.expected}`
  }
}

const time = (flag: string, what: string) => Flag.String(flag).pipe(Flag.withDescription(what), Flag.optional)
const sequence = (flag: string, what: string) =>
  Flag.Int(flag).pipe(Flag.withDescription(what), Flag.optional)

/** A range of a stream, by sequences or by when they were received. */
export const rangeFlags = {
  from: time("from", "Received since: a UTC day such as 2026-11-02, or a time such as 2026-11-02T09:30:00Z"),
  to: time("to", "Received before, likewise"),
  fromSeq: sequence("from-seq", "The first sequence"),
  toSeq: sequence("to-seq", "The last sequence"),
}

/** Older than anything that raw keeps; milliseconds. */
export const AGES = 900 * 86_400_000

export interface RangeAsked {
  readonly from: Option.Option<string>
  readonly to: Option.Option<string>
  readonly fromSeq: Option.Option<number>
  readonly toSeq: Option.Option<number>
}

/** Milliseconds since 1970 of a time, or of the first instant of a UTC day. */
const instantOf = (flag: string, given: string): Effect.Effect<number, FlagError> => {
  const at = parseTime(/^\d{4}-\d{2}-\d{2}$/u.test(given) ? `${given}T00:00:00Z` : given)
  return Number.isNaN(at)
    ? Effect.fail(
        new FlagError({ flag, found: given, expected: "a day such as 2026-11-02, or 2026-11-02T09:30:00Z" }),
      )
    : Effect.succeed(at)
}

/** The instants of a range, milliseconds since 1970; undefined where none is given. */
export const instantsOf = Effect.fnUntraced(function* ({ from, to }: Pick<RangeAsked, "from" | "to">) {
  return {
    since: Option.isSome(from) ? yield* instantOf("from", from.value) : undefined,
    before: Option.isSome(to) ? yield* instantOf("to", to.value) : undefined,
  }
})

export interface Sequences {
  readonly from?: number
  readonly to?: number
}

/** The sequences of a range in a stream; what is absent is not bounded. */
export const sequencesOf = Effect.fnUntraced(function* (
  stream: string,
  asked: RangeAsked,
): Effect.fn.Return<Sequences, FlagError | NatsError, Nats> {
  const { since, before } = yield* instantsOf(asked)
  const from =
    Option.getOrUndefined(asked.fromSeq) ??
    (since === undefined ? undefined : yield* sequenceAt(stream, since))
  const to =
    Option.getOrUndefined(asked.toSeq) ??
    (before === undefined ? undefined : (yield* sequenceAt(stream, before)) - 1)
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
})

export const streamFlag = Flag.String("stream").pipe(
  Flag.withDescription("This stream of actions alone"),
  Flag.optional,
)

/** Of the streams that were left behind, those without the ones that no writer ever owned: nothing of these is stored. */
const owned = (leftBehind: ReadonlyArray<string>) =>
  Effect.filter(leftBehind, (stream) =>
    lifeOf(stream).pipe(
      Effect.as(true),
      Effect.catchTag("NoLedger", (error) => Effect.as(Console.error(`Left out: ${error.message}`), false)),
    ),
  )

/** The stream that was asked for, or all. Each counts its sequences by itself, so a range of them is one stream's. */
export const chosenOf = Effect.fnUntraced(function* (
  asked: Option.Option<string>,
  known: Pick<ActionWriters, "current" | "leftBehind">,
  { fromSeq, toSeq }: RangeAsked,
): Effect.fn.Return<ReadonlyArray<string>, FlagError | NatsError, Nats> {
  const current = known.current.map(({ stream }) => stream)
  const leftBehind = known.leftBehind.map(({ stream }) => stream)
  const all = [...current, ...leftBehind]
  const expected = all.join(" or ")
  if (Option.isSome(asked)) {
    if (all.includes(asked.value)) return [asked.value]
    return yield* new FlagError({ flag: "stream", found: asked.value, expected })
  }
  for (const [flag, sequence] of [
    ["from-seq", fromSeq],
    ["to-seq", toSeq],
  ] as const)
    if (all.length > 1 && Option.isSome(sequence))
      return yield* new FlagError({
        flag,
        found: String(sequence.value),
        expected: `--stream beside it, as each counts by itself: ${expected}`,
      })
  return [...current, ...(yield* owned(leftBehind))]
})
