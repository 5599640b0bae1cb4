import { type ChildProcess, spawn } from "node:child_process"
import { createWriteStream } from "node:fs"
import { fileURLToPath } from "node:url"
import { Effect } from "effect"
import { freePort } from "../free-port.ts"

const CLI = fileURLToPath(new URL("../../deploy/cli.ts", import.meta.url))

/** A writer in a process of its own. */
export interface WriterProcess {
  readonly process: ChildProcess
  readonly port: number
  /** What it logged so far. */
  readonly log: () => string
}

/** It is no more. */
export const hasEnded = ({ process }: WriterProcess): boolean =>
  process.exitCode !== null || process.signalCode !== null

/** Sends a signal and waits until the writer has ended. */
export const kill = (writer: WriterProcess, signal: NodeJS.Signals = "SIGKILL") =>
  Effect.promise(
    () =>
      new Promise<void>((resolve) => {
        if (hasEnded(writer)) return resolve()
        writer.process.once("exit", () => resolve())
        writer.process.kill(signal)
      }),
  )

/** Starts writers, each of which is killed with its scope at the latest. */
export const makeWriters = Effect.fn("makeWriters")(function* (
  environment: NodeJS.ProcessEnv,
  logFile: string,
) {
  const file = yield* Effect.acquireRelease(
    Effect.sync(() => createWriteStream(logFile, { flags: "a" })),
    (file) => Effect.sync(() => file.end()),
  )
  return (env: NodeJS.ProcessEnv = {}) =>
    Effect.acquireRelease(
      Effect.map(freePort, (port): WriterProcess => {
        const child = spawn(process.execPath, [CLI, "writer"], {
          stdio: ["ignore", "ignore", "pipe"],
          env: { ...process.env, ...environment, WRITER_PORT: String(port), ...env },
        })
        let log = ""
        child.stderr.setEncoding("utf8").on("data", (text: string) => {
          log = (log + text).slice(-1_000_000)
          file.write(text)
        })
        return { process: child, port, log: () => log }
      }),
      (writer) => kill(writer),
    )
})

/** What `/metrics` of a writer says, by name and labels; nothing while it does not answer. */
const metricsOf = (writer: WriterProcess) =>
  Effect.promise(async () => {
    const values = new Map<string, number>()
    try {
      const signal = AbortSignal.timeout(1000)
      const response = await fetch(`http://127.0.0.1:${writer.port}/metrics`, { signal })
      for (const line of (await response.text()).split("\n")) {
        const at = line.lastIndexOf(" ")
        if (!line.startsWith("#") && at > 0) values.set(line.slice(0, at), Number(line.slice(at + 1)))
      }
    } catch {
      // Not up yet, stopped or gone.
    }
    return values
  })

/** One value of `/metrics`, of all streams together unless labels are named; undefined when it is not there. */
export const metricOf = (writer: WriterProcess, name: string) =>
  Effect.map(metricsOf(writer), (values) => {
    const found = [...values].filter(([key]) => key === name || key.startsWith(`${name}{`))
    return found.length === 0 ? undefined : found.reduce((sum, [, value]) => sum + value, 0)
  })

/** How many streams it owns, as far as it knows; undefined while it is not up. */
export const streamsOf = (writer: WriterProcess) => metricOf(writer, "tidemark_writer_owner")

/** It owns a stream, as far as it knows. */
export const owns = (writer: WriterProcess) => Effect.map(streamsOf(writer), (owned = 0) => owned > 0)

/** It is up and owns none. */
export const standsBy = (writer: WriterProcess) => Effect.map(streamsOf(writer), (owned) => owned === 0)
