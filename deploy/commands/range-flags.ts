import { Effect, Option, Schema } from "effect"
import { Flag } from "effect/cli"
import { parseTime } from "#schemas/time.ts"
import type { Nats, NatsError } from "#nats/connection.ts"
import { sequenceAt } from "#nats/sequence-at.ts"

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

/** The one that was asked for, or all. */
export const chosenOf = (
  asked: Option.Option<string>,
  known: ReadonlyArray<string>,
): Effect.Effect<ReadonlyArray<string>, FlagError> =>
  Option.isNone(asked)
    ? Effect.succeed(known)
    : known.includes(asked.value)
      ? Effect.succeed([asked.value])
      : Effect.fail(new FlagError({ flag: "stream", found: asked.value, expected: known.join(" or ") }))
