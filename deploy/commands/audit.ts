import { Console, Effect, Option, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { utcMonthsBetween } from "#schemas/time.ts"
import { audit, type AuditScope } from "../../pipeline/audit/audit.ts"
import { asMaintainer, quietlyOf } from "../maintenance.ts"
import { actionWriters } from "../writer-options.ts"
import { blockText, differenceText, monthText } from "./audit-text.ts"
import { many } from "./many.ts"
import { AGES, chosenOf, instantsOf, rangeFlags, sequencesOf, streamFlag } from "./range-flags.ts"
import { settings } from "./settings.ts"

/** The proof failed. */
class Differences extends Schema.TaggedError<Differences>()("Differences", { count: Schema.Int }) {
  override get message(): string {
    return `audit: ${many(this.count, "difference")} between stream, raw and rollups; see deploy/runbook`
  }
}

const DAY = 86_400_000

const monthsBetween = (since = Date.now() - AGES, before = Date.now() + DAY): ReadonlySet<number> =>
  utcMonthsBetween(since, before - 1)

export const auditCommand = Command.make(
  "audit",
  {
    ...rangeFlags,
    stream: streamFlag,
    all: Flag.Boolean("all").pipe(
      Flag.withDescription("Also what was proved before and is the same since"),
      Flag.withDefault(false),
    ),
    json: Flag.Boolean("json").pipe(Flag.withDescription("One JSON object"), Flag.withDefault(false)),
  },
  ({ stream, all, json, ...range }) =>
    Effect.gen(function* () {
      const current = yield* settings
      const known = yield* actionWriters(current).pipe(asMaintainer(current, "audit"))
      const streams = yield* chosenOf(stream, known, range).pipe(asMaintainer(current, "audit"))
      const { since, before } = yield* instantsOf(range)
      const isBounded = since !== undefined || before !== undefined
      const months = isBounded ? { months: monthsBetween(since, before) } : {}
      const say = (text: string) => (json ? Effect.void : Console.log(text))
      const options = {
        maxClockAhead: current.maxClockAhead,
        quietly: quietlyOf(current),
        onBlock: (block: Parameters<typeof blockText>[0], end: number) =>
          say(`${blockText(block)}${block.to_seq < end ? `; ${end - block.to_seq} to go` : ""}`),
        onMonth: (month: Parameters<typeof monthText>[0], left: number) =>
          say(`${monthText(month)}${left > 0 ? `; ${many(left, "month")} to go` : ""}`),
      }
      const scopes = yield* Effect.forEach(streams, (name, index) =>
        Effect.map(sequencesOf(name, range), (sequences): AuditScope => ({
          streams: [name],
          all: all || isBounded,
          // The rollups are of all streams; once is enough.
          ...(index === 0 ? months : { months: new Set() }),
          ...sequences,
        })),
      ).pipe(asMaintainer(current, "audit"))
      const audits = yield* Effect.forEach(scopes, (scope) => audit(scope, options)).pipe(
        asMaintainer(current, "audit"),
      )
      const blocks = audits.flatMap((done) => done.blocks)
      const found = audits.flatMap((done) => done.months)
      const differences = audits.reduce((sum, done) => sum + done.differences, 0)
      if (json) yield* Console.log(JSON.stringify({ differences, blocks, months: found }))
      for (const { shown } of [...blocks, ...found])
        for (const difference of shown) yield* say(differenceText(difference))
      if (blocks.length + found.length === 0)
        yield* say(
          isBounded || Option.isSome(range.fromSeq) || Option.isSome(range.toSeq)
            ? "The streams hold nothing committed in that range, so nothing was compared."
            : "Nothing is new since the last audit.",
        )
      yield* say(`${many(differences, "difference")}.`)
      if (differences > 0) return yield* new Differences({ count: differences })
    }),
).pipe(
  Command.withDescription(
    "Prove that stream, raw table and rollups say the same: prints the differences, and ends with 0 when there are none, 1 when there are some, 2 when it could not be made",
  ),
)
