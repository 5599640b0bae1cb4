#!/usr/bin/env node
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Cause, Effect } from "effect"
import { Command } from "effect/cli"
import packageJson from "../package.json" with { type: "json" }
import { api } from "./commands/api.ts"
import { demo } from "./commands/demo.ts"
import { dev } from "./commands/dev.ts"
import { keys } from "./commands/keys.ts"
import { migrate } from "./commands/migrate.ts"
import { writer } from "./commands/writer.ts"

/** An expected failure in one line; a defect with its trace. */
const report = (cause: Cause.Cause<unknown>): string => {
  const failed = cause.reasons.find(Cause.isFailReason)
  return failed?.error instanceof Error ? failed.error.message : Cause.pretty(cause)
}

Command.make("tidemark").pipe(
  Command.withDescription("User-action analytics for hiring platforms"),
  Command.withSubcommands([dev, demo, migrate, writer, api, keys]),
  Command.run({ version: packageJson.version }),
  Effect.tapCause((cause) =>
    Effect.sync(() => {
      if (!Cause.hasInterruptsOnly(cause)) process.stderr.write(`tidemark: ${report(cause)}\n`)
    }),
  ),
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain({ disableErrorReporting: true }),
)
