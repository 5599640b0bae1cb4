import { Cause, Exit, Predicate } from "effect"

/** They run until they are told to stop, and to stop then is what they were to do. */
const SERVICES: ReadonlySet<string> = new Set(["dev", "demo", "writer", "api", "exporter"])

const commandOf = (args: ReadonlyArray<string>): string | undefined =>
  args.find((arg) => !arg.startsWith("-"))

/** Of a command that did not do what it was told. An audit says so by another code than that there are differences. */
export const notDone = (args: ReadonlyArray<string>): number => (commandOf(args) === "audit" ? 2 : 1)

/**
 * The code that a command ends with: 0 when it did what it was told, else 1. Of an audit, as of `diff`, 0 says that all is equal,
 * 1 that there are differences, and 2 that nobody knows: it could not be made, or was broken off.
 */
export const exitCode = (args: ReadonlyArray<string>, exit: Exit.Exit<unknown, unknown>): number => {
  if (Exit.isSuccess(exit)) return 0
  if (Cause.hasInterruptsOnly(exit.cause)) return SERVICES.has(commandOf(args) ?? "") ? 0 : notDone(args)
  const error = exit.cause.reasons.find(Cause.isFailReason)?.error
  return Predicate.isTagged(error, "Differences") ? 1 : notDone(args)
}
