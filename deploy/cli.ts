#!/usr/bin/env -S node --max-semi-space-size=4
// By parts: the whole package takes as long to load as the rest of the command line.
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Effect, Layer, Predicate } from "effect"
import { CliConfig, Command, GlobalFlag } from "effect/cli"
import packageJson from "../package.json" with { type: "json" }
import { api } from "./commands/api.ts"
import { auditCommand } from "./commands/audit.ts"
import { biUsers } from "./commands/bi-users.ts"
import { deadLettersCommand } from "./commands/dead-letters.ts"
import { demo } from "./commands/demo.ts"
import { dev } from "./commands/dev.ts"
import { eraseCommand } from "./commands/erase.ts"
import { exporter } from "./commands/exporter.ts"
import { keys } from "./commands/keys.ts"
import { migrate } from "./commands/migrate.ts"
import { natsUsers } from "./commands/nats-users.ts"
import { rebuildCommand } from "./commands/rebuild.ts"
import { replayCommand } from "./commands/replay.ts"
import { writer } from "./commands/writer.ts"
import { exitCode, notDone } from "./exit-code.ts"

const ARGS = process.argv.slice(2)

/** What to do about failures that a command cannot know more about. */
const hintOf = (error: Error): string => {
  if (Predicate.isTagged(error, "NatsError") && error.message.includes("connect"))
    return " Is it running? `npm start` runs one here; NATS_URL names one elsewhere."
  if (Predicate.isTagged(error, "ClickHouseError") && "reason" in error) {
    if (error.reason === "unavailable")
      return " Is it running? `npm start` runs one here; CLICKHOUSE_URL names one elsewhere."
    if (error.reason === "denied") return " Check CLICKHOUSE_USER and CLICKHOUSE_PASSWORD."
    if (error.reason === "schema") return " Run `tidemark migrate` first."
  }
  return ""
}

/** An expected failure in one line; a defect with its trace. */
const report = (cause: Cause.Cause<unknown>): string | undefined => {
  const error = cause.reasons.find(Cause.isFailReason)?.error
  // The command line has said already what it did not understand.
  if (Predicate.isTagged(error, "ShowHelp")) return undefined
  return error instanceof Error ? `${error.message}.${hintOf(error)}`.replace("..", ".") : Cause.pretty(cause)
}

/** Whoever told the process to stop kills it after ten seconds, as Docker does. */
const LAST_MOMENT = 9000

// Every part bounds its own ending; this bounds them all. What is cut off here is what a crash would cut off: it stays in
// doubt, and the next start settles it.
for (const signal of ["SIGTERM", "SIGINT"] as const)
  process.once(signal, () =>
    setTimeout(() => {
      process.stderr.write(
        "tidemark: not everything ended in time; the next start settles what was under way\n",
      )
      process.exit(notDone(ARGS))
    }, LAST_MOMENT).unref(),
  )

/** Of what every command could take: no wizard, and no level of logs, which is the setting LOG_LEVEL. */
const FLAGS = CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions] })

Command.make("tidemark").pipe(
  Command.withDescription("User-action analytics for hiring platforms"),
  Command.withSubcommands([
    dev,
    demo,
    migrate,
    writer,
    api,
    exporter,
    keys,
    natsUsers,
    biUsers,
    auditCommand,
    replayCommand,
    eraseCommand,
    rebuildCommand,
    deadLettersCommand,
  ]),
  Command.run({ version: packageJson.version }),
  Effect.tapCause((cause) =>
    Effect.sync(() => {
      const text = Cause.hasInterruptsOnly(cause) ? undefined : report(cause)
      if (text !== undefined) process.stderr.write(`tidemark: ${text}\n`)
    }),
  ),
  Effect.provide(Layer.merge(NodeServices.layer, FLAGS)),
  NodeRuntime.runMain({
    disableErrorReporting: true,
    teardown: (exit, onExit) => onExit(exitCode(ARGS, exit)),
  }),
)
