import { Console, Effect, Option, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { NO_TENANT } from "#schemas/names.ts"
import { lifeOf } from "../../pipeline/audit/committed-range.ts"
import { loadZones } from "../../pipeline/directory/load-zones.ts"
import { readProgress, type ReplayProgress } from "../../pipeline/replay/progress.ts"
import { ALL, replay, type ReplayScope } from "../../pipeline/replay/replay.ts"
import { Zones } from "../../pipeline/writer/zones.ts"
import { asMaintainer } from "../maintenance.ts"
import { actionWriters } from "../writer-options.ts"
import { many } from "./many.ts"
import { onRecord } from "./on-record.ts"
import { chosenOf, rangeFlags, sequencesOf, streamFlag } from "./range-flags.ts"
import { settings } from "./settings.ts"

/** What was asked for cannot be replayed. */
class ReplayError extends Schema.TaggedError<ReplayError>()("ReplayError", { detail: Schema.String }) {
  override get message(): string {
    return `replay: ${this.detail}`
  }
}

/** A replay that was broken off, of the stream as it is now. */
const unfinished = Effect.fnUntraced(function* (stream: string) {
  const progress = yield* readProgress(stream)
  const { generation } = yield* lifeOf(stream)
  return progress?.generation === generation ? progress : undefined
})

const shown = ({ subject, from, to, next }: ReplayProgress): string =>
  `${subject}, ${from} to ${to}, at ${next}`

export const replayCommand = Command.make(
  "replay",
  {
    ...rangeFlags,
    stream: streamFlag,
    subject: Flag.String("subject").pipe(
      Flag.withDescription(`Messages of these subjects alone, as NATS writes filters; ${ALL} when absent`),
      Flag.optional,
    ),
    apply: Flag.Boolean("apply").pipe(
      Flag.withDescription("Add what is missing; without it, only say what would be added"),
      Flag.withDefault(false),
    ),
    resume: Flag.Boolean("resume").pipe(
      Flag.withDescription("Go on where one was broken off, with its range and subject"),
      Flag.withDefault(false),
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("One JSON object a stream"),
      Flag.withDefault(false),
    ),
  },
  ({ stream, subject, apply, resume, json, ...range }) =>
    Effect.gen(function* () {
      const current = yield* settings
      const known = yield* actionWriters(current).pipe(asMaintainer(current, "replay"))
      const all = [...known.current, ...known.leftBehind]
      const streams = yield* chosenOf(stream, known, range).pipe(asMaintainer(current, "replay"))
      const say = (text: string) => (json ? Effect.void : Console.log(text))
      const ofOne = Effect.fnUntraced(function* (name: string) {
        const options = all.find((one) => one.stream === name)
        if (options === undefined) return
        const broken = yield* unfinished(name)
        if (resume && broken === undefined) return yield* say(`${name}: nothing to resume.`)
        if (!resume && apply && broken !== undefined)
          yield* Console.error(
            `A replay of ${name} was broken off (${shown(broken)}); this one takes its place.`,
          )
        const zones = new Zones()
        yield* loadZones(zones)
        const scope: ReplayScope = {
          ...(yield* sequencesOf(name, range)),
          ...(Option.isSome(subject) ? { subject: subject.value } : {}),
        }
        const done = yield* replay(scope, {
          maintenance: { ...options, why: "a replay" },
          zones,
          apply: apply || resume,
          ...(resume && broken !== undefined ? { resume: broken } : {}),
          onBlock: ({ through, to, added }) =>
            through < to
              ? say(`${name} up to ${through}: ${many(added, "event")}; ${to - through} to go`)
              : Effect.void,
        })
        if (apply || resume)
          yield* onRecord({
            tenant: NO_TENANT,
            action: "events.replayed",
            command: "replay",
            subject: name,
            filters: { ...done.range, subject: scope.subject ?? ALL, added: done.added },
          })
        if (json) return yield* Console.log(JSON.stringify(done))
        for (const { tenant, day, events } of done.byDay)
          yield* Console.log(`  ${day}  ${tenant}  ${many(events, "event")}`)
        yield* Console.log(
          `${name} ${done.range.from} to ${done.range.to}: ${many(done.added, "event")} ${apply || resume ? "added" : "would be added"}.`,
        )
      })
      if (resume && [...Object.values(range), subject].some((given) => Option.isSome<unknown>(given)))
        return yield* new ReplayError({
          detail: "--resume takes range and subject from the replay that was broken off",
        })
      yield* Effect.forEach(streams, ofOne).pipe(asMaintainer(current, "replay"))
    }),
).pipe(
  Command.withDescription(
    "Insert what the stream holds and the raw table does not; says what that would be unless told to --apply",
  ),
)
