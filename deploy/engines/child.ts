import { type ChildProcess, spawn } from "node:child_process"
import { createServer } from "node:net"
import { Effect, Schedule } from "effect"
import { EngineError } from "./engine-error.ts"

type Engine = EngineError["engine"]

/** Fails when somebody listens on the port of 127.0.0.1 already. */
export const portIsFree = (engine: Engine, port: number, setting: string) =>
  Effect.callback<void, EngineError>((resume) => {
    const server = createServer()
    server.once("error", (error) =>
      resume(
        Effect.fail(
          new EngineError({
            engine,
            reason: "port_in_use",
            detail: `port ${port} cannot be listened on (${(error as NodeJS.ErrnoException).code})`,
            hint: `Stop what listens there, or set ${setting} to another port.`,
          }),
        ),
      ),
    )
    server.listen(port, "127.0.0.1", () => server.close(() => resume(Effect.void)))
  })

export interface Child {
  readonly process: ChildProcess
  /** What it wrote to standard error, the last 4 KiB. */
  readonly complaints: () => string
  /** Resolves when the process has ended. */
  readonly ended: Promise<void>
}

/** Spawns a process that ends with the scope: SIGTERM, then SIGKILL after `patience` milliseconds. */
export const spawnScoped = (
  command: string,
  args: ReadonlyArray<string>,
  options: { readonly env?: NodeJS.ProcessEnv; readonly patience: number },
) =>
  Effect.acquireRelease(
    Effect.sync((): Child => {
      let tail = ""
      const child = spawn(command, args, {
        stdio: ["pipe", "ignore", "pipe"],
        env: options.env ?? process.env,
      })
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        tail = (tail + text).slice(-4096)
      })
      // The other end may be gone before the pipe is closed.
      child.stdin.on("error", () => undefined)
      const ended = new Promise<void>((resolve) => {
        child.once("exit", () => {
          child.stdin.destroy()
          resolve()
        })
        child.once("error", (error) => {
          tail += error.message
          resolve()
        })
      })
      return { process: child, complaints: () => tail.trim(), ended }
    }),
    (child) =>
      Effect.promise(async () => {
        if (child.process.exitCode !== null || child.process.signalCode !== null) return
        child.process.stdin?.end()
        child.process.kill("SIGTERM")
        const killer = setTimeout(() => child.process.kill("SIGKILL"), options.patience)
        await child.ended
        clearTimeout(killer)
      }),
  )

/** Probes until the probe succeeds; fails at once when the process has ended, and after `seconds` otherwise. */
export const awaitReady = (
  engine: Engine,
  child: Child,
  probe: () => Promise<boolean>,
  seconds: number,
): Effect.Effect<void, EngineError> =>
  Effect.gen(function* () {
    if (child.process.exitCode !== null || child.process.signalCode !== null)
      return yield* new EngineError({
        engine,
        reason: "died",
        detail: child.complaints() || `it ended with ${child.process.exitCode ?? child.process.signalCode}`,
        hint: "Its output above says why.",
      })
    const up = yield* Effect.promise(() => probe().catch(() => false))
    if (!up)
      return yield* new EngineError({
        engine,
        reason: "not_ready",
        detail: `no answer after ${seconds} s: ${child.complaints()}`,
        hint: "Look at the machine's load and memory.",
      })
  }).pipe(
    Effect.retry(
      Schedule.spaced("50 millis").pipe(
        Schedule.setInputType<EngineError>(),
        Schedule.upTo({ times: seconds * 20 }),
        Schedule.while(({ input }) => input.reason === "not_ready"),
      ),
    ),
  )
