import { Effect, Exit } from "effect"
import { expect, it } from "vitest"
import { exitCode } from "./exit-code.ts"

const STOPPED = Exit.interrupt(1)
const FAILED = Exit.fail({ _tag: "NatsError" })

it.each([
  ["writer", Exit.succeed(undefined), 0],
  ["writer", STOPPED, 0],
  ["writer", FAILED, 1],
  ["rebuild", STOPPED, 1],
  ["rebuild", FAILED, 1],
  ["audit", Exit.succeed(undefined), 0],
  ["audit", Exit.fail({ _tag: "Differences" }), 1],
  ["audit", FAILED, 2],
  ["audit", STOPPED, 2],
  ["audit", Effect.runSyncExit(Effect.die("a bug")), 2],
] as const)("%s: %j ends with %i", (command, exit, code) => {
  expect(exitCode([command, "--all"], exit)).toBe(code)
  expect(exitCode(["--all", command], exit)).toBe(code)
})
