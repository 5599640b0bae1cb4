// What the tests of exports share: a worker over the run's real engines, and jobs of a tenant of the test's own.
import { Effect, Exit, Layer, Scope } from "effect"
import { afterAll, inject } from "vitest"
import { Nats } from "#nats/connection.ts"
import type { Export } from "#schemas/export-job.ts"
import { storeAs } from "../test-app.ts"
import type { Files } from "./files.ts"
import { natsFiles } from "./nats-files.ts"
import type { Rendering } from "./render.ts"
import { type ExporterOptions, runExporter } from "./worker.ts"

const RANGE = { from: "2026-11-01", to: "2026-11-07" } as const
export const REQUEST = { report: "user_actions", format: "csv", ...RANGE } as const

/** A file of lines, so many and so long a wait before each hundred: what the rows are is not these tests' business. */
export const lines = (count: number, pause = 0) =>
  async function* ({ onExpected, onRows, signal }: Rendering): AsyncGenerator<Uint8Array, void, undefined> {
    onExpected(count)
    for (let at = 0; at < count; at += 100) {
      if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause))
      signal.throwIfAborted()
      const rows = Math.min(100, count - at)
      yield Buffer.from(Array.from({ length: rows }, (_, row) => `line ${at + row}\r\n`).join(""))
      onRows(rows)
    }
  }

export const linesText = (count: number): string =>
  Array.from({ length: count }, (_, row) => `line ${row}\r\n`).join("")

export type WorkerOptions = Partial<ExporterOptions> & {
  readonly store?: (nats: Nats["Service"]) => Files
}

/** Starts workers that are stopped after the file's tests, or before. */
export const workers = () => {
  const scope = Effect.runSync(Scope.make())
  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  const start = async ({ store = natsFiles, ...options }: WorkerOptions = {}) => {
    const own = await Effect.runPromise(Scope.fork(scope))
    const context = await Effect.runPromise(
      Layer.buildWithScope(
        Layer.merge(
          storeAs("tidemark_exporter"),
          Nats.layer({ url: inject("natsUrl"), name: "exporter-test" }),
        ),
        own,
      ),
    )
    const files = Effect.runSync(Effect.map(Nats, store).pipe(Effect.provide(context)))
    const worker = runExporter({
      files,
      ttl: 60_000,
      lease: 5000,
      concurrency: 2,
      perTenant: 1,
      ...options,
    })
    await Effect.runPromise(
      worker.pipe(Effect.provide(context), Effect.forkIn(own), Effect.asVoid, Scope.provide(own)),
    )
    return { files, stop: () => Effect.runPromise(Scope.close(own, Exit.void)) }
  }
  return start
}

/** Asks again until the export is as it should be. */
export const awaitExport = async (
  look: () => Promise<{ readonly body: { readonly data: Export } }>,
  is: (job: Export) => boolean,
  seconds = 20,
): Promise<Export> => {
  const until = Date.now() + seconds * 1000
  for (;;) {
    const { data } = (await look()).body
    if (is(data)) return data
    if (Date.now() > until) throw new Error(`still ${JSON.stringify(data)}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
