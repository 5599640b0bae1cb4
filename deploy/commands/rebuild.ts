import { Console, Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { DATABASE, NO_TENANT } from "#schemas/names.ts"
import { utcMonthsBetween } from "#schemas/time.ts"
import { loadZones } from "../../pipeline/directory/load-zones.ts"
import { lookAt, rebuild } from "../../pipeline/rebuild/rebuild.ts"
import { ROLLUPS } from "../../pipeline/writer/rollups.ts"
import { Zones } from "../../pipeline/writer/zones.ts"
import { asMaintainer } from "../maintenance.ts"
import { actionWriters } from "../writer-options.ts"
import { many } from "./many.ts"
import { onRecord } from "./on-record.ts"
import { AGES, FlagError, instantsOf } from "./range-flags.ts"
import { settings } from "./settings.ts"

/** What was asked for cannot be built. */
class RebuildError extends Schema.TaggedError<RebuildError>()("RebuildError", { detail: Schema.String }) {
  override get message(): string {
    return `rebuild: ${this.detail}`
  }
}

const nameOf = ({ table }: { readonly table: string }): string => table.slice(DATABASE.length + 1)
const NAMES = ROLLUPS.map(nameOf)

const day = (flag: string, what: string) =>
  Flag.String(flag).pipe(
    Flag.withDescription(`${what}: a day such as 2026-11-02; whole months are built`),
    Flag.optional,
  )

const monthText = (month: number): string => `${String(month).slice(0, 4)}-${String(month).slice(4)}`

/** The months that the days touch; undefined when none are named. */
const monthsOf = Effect.fnUntraced(function* (from: Option.Option<string>, to: Option.Option<string>) {
  if (Option.isNone(from) && Option.isNone(to)) return undefined
  const { since, before } = yield* instantsOf({ from, to })
  return utcMonthsBetween(since ?? Date.now() - AGES, before ?? Date.now())
})

export const rebuildCommand = Command.make(
  "rebuild",
  {
    rollups: Argument.String("rollup").pipe(Argument.withDescription(NAMES.join(", ")), Argument.variadic()),
    all: Flag.Boolean("all").pipe(Flag.withDescription("Every rollup"), Flag.withDefault(false)),
    day: day("day", "One day"),
    from: day("from", "The first day"),
    to: day("to", "The last day"),
    dryRun: Flag.Boolean("dry-run").pipe(
      Flag.withDescription("Say what is wrong, and build nothing"),
      Flag.withDefault(false),
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("One JSON object a rollup"),
      Flag.withDefault(false),
    ),
  },
  ({ rollups, all, day: one, from, to, dryRun, json }) =>
    Effect.gen(function* () {
      const current = yield* settings
      const unknown = rollups.find((name) => !NAMES.includes(name))
      if (unknown !== undefined)
        return yield* new RebuildError({
          detail: `there is no rollup ${unknown}; there are ${NAMES.join(", ")}`,
        })
      if (rollups.length === 0 && !all)
        return yield* new RebuildError({ detail: `name rollups (${NAMES.join(", ")}), or say --all` })
      const wanted = ROLLUPS.filter((rollup) => all || rollups.includes(nameOf(rollup)))
      if (Option.isSome(one) && (Option.isSome(from) || Option.isSome(to)))
        return yield* new RebuildError({ detail: "--day goes with neither --from nor --to" })
      const months = yield* Option.isNone(one)
        ? monthsOf(from, to)
        : monthsOf(one, one).pipe(
            Effect.catchTag("FlagError", ({ found, expected }) =>
              Effect.fail(new FlagError({ flag: "day", found, expected })),
            ),
          )
      const say = (text: string) => (json ? Effect.void : Console.log(text))
      const untouched = (kept: ReadonlyArray<number>) =>
        kept.length === 0
          ? Effect.void
          : say(`  ${kept.map(monthText).join(", ")}: left as they are, raw no longer has all of them`)
      const look = Effect.forEach(wanted, (rollup) =>
        Effect.gen(function* () {
          const found = yield* lookAt(rollup, months)
          if (json) return yield* Console.log(JSON.stringify({ table: nameOf(rollup), ...found }))
          for (const { month, wrong } of found.months)
            yield* say(`${nameOf(rollup)} ${monthText(month)}: ${many(wrong, "key")} to put right`)
          yield* untouched(found.kept)
        }),
      )
      const build = Effect.forEach(wanted, (rollup) =>
        Effect.gen(function* () {
          const zones = new Zones()
          yield* loadZones(zones)
          const { current: streams } = yield* actionWriters(current)
          const done = yield* rebuild(rollup, {
            streams: streams.map((options) => ({
              ...options,
              why: `a rebuild of ${nameOf(rollup)}`,
            })),
            zones,
            ...(months === undefined ? {} : { months }),
            onMonth: (month, left) =>
              say(
                `${nameOf(rollup)} ${monthText(month)} is built${left > 0 ? `; ${many(left, "month")} to go` : ""}`,
              ),
          })
          yield* onRecord({
            tenant: NO_TENANT,
            action: "rollup.rebuilt",
            command: "rebuild",
            subject: nameOf(rollup),
            filters: { months: done.months },
          })
          if (json) return yield* Console.log(JSON.stringify(done))
          yield* untouched(done.kept)
          yield* say(
            `${nameOf(rollup)}: ${many(done.months.length, "month")} in place; writers paused for ${done.paused.toFixed(1)} s`,
          )
        }),
      )
      yield* (dryRun ? look : build).pipe(asMaintainer(current, "rebuild"))
    }),
).pipe(
  Command.withDescription(
    "Build rollups anew from the raw table, beside those that are read, and put them in their place at once",
  ),
)
