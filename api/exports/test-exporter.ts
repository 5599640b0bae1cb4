// What the tests of exports share: a worker over the run's real engines, and jobs of a tenant of the test's own.
import { createHash } from "node:crypto"
import { Effect, Exit, Layer, Logger, Scope } from "effect"
import { inject, onTestFinished } from "vitest"
import { Nats } from "#nats/connection.ts"
import type { Export } from "#schemas/export-job.ts"
import { type Got, storeAs } from "../test-app.ts"
import type { Files } from "./files.ts"
import { natsFiles } from "./nats-files.ts"
import type { Rendering } from "./render.ts"
import { type ExporterOptions, runExporter } from "./worker.ts"

const REQUEST = {
  report: "user_actions",
  format: "csv",
  from: "2026-11-01",
  to: "2026-11-07",
} as const

const wait = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds))

/** A file of lines, so many, and so long a wait before each hundred: what the rows are is not these tests' business. */
export const lines = (count: number, pause = 0) =>
  async function* ({ onExpected, onRows, signal }: Rendering): AsyncGenerator<Uint8Array, void, undefined> {
    onExpected(count)
    for (let at = 0; at < count; at += 100) {
      if (pause > 0) await wait(pause)
      signal.throwIfAborted()
      const rows = Math.min(100, count - at)
      yield Buffer.from(Array.from({ length: rows }, (_, row) => `line ${at + row}\r\n`).join(""))
      onRows(rows)
    }
  }

export const linesText = (count: number): string =>
  Array.from({ length: count }, (_, row) => `line ${row}\r\n`).join("")

export const sha256 = (bytes: string | Uint8Array): string => createHash("sha256").update(bytes).digest("hex")

type WorkerOptions = Partial<ExporterOptions> & {
  readonly store?: (nats: Nats["Service"]) => Files
  /** The run's own when absent. */
  readonly clickhouseUrl?: string
}

/** Starts a worker, which is stopped when the test ends or before. */
export const startWorker = async ({ store = natsFiles, clickhouseUrl, ...options }: WorkerOptions = {}) => {
  const own = Effect.runSync(Scope.make())
  const stop = () => Effect.runPromise(Scope.close(own, Exit.void))
  onTestFinished(stop)
  const services = Layer.mergeAll(
    storeAs("tidemark_exporter", clickhouseUrl),
    Nats.layer({ url: inject("natsUrl"), name: "exporter-test" }),
    Logger.layer([]),
  )
  const context = await Effect.runPromise(Layer.buildWithScope(services, own))
  const files = Effect.runSync(Effect.map(Nats, store).pipe(Effect.provide(context)))
  const worker = runExporter({
    files,
    ttl: 60_000,
    lease: 5000,
    concurrency: 2,
    perTenant: 1,
    render: lines(1000),
    ...options,
  })
  await Effect.runPromise(worker.pipe(Effect.provide(context), Effect.forkIn(own), Effect.asVoid))
  return { files, stop }
}

/** The calls of exports, as their users make them. */
export const exportCalls = (call: (path: string, key?: string, init?: RequestInit) => Promise<Got>) => {
  const post = (key: string, body: object = {}, headers: Readonly<Record<string, string>> = {}) =>
    call("/v1/exports", key, {
      method: "POST",
      body: JSON.stringify({ ...REQUEST, ...body }),
      headers: { "Content-Type": "application/json", ...headers },
    })
  const get = (key: string, id: string) => call(`/v1/exports/${id}`, key)
  /** Asks again until the export is as it should be. */
  const until = async (
    key: string,
    id: string,
    is: (job: Export) => boolean,
    seconds = 20,
  ): Promise<Export> => {
    const deadline = Date.now() + seconds * 1000
    for (;;) {
      const { data } = (await get(key, id)).body
      if (is(data)) return data
      if (Date.now() > deadline) throw new Error(`still ${JSON.stringify(data)}`)
      await wait(50)
    }
  }
  return {
    post,
    get,
    until,
    ended: (key: string, id: string, seconds?: number) =>
      until(key, id, ({ state }) => state !== "queued" && state !== "running", seconds),
    download: (key: string, id: string, headers: Readonly<Record<string, string>> = {}, method = "GET") =>
      call(`/v1/exports/${id}/download`, key, { headers, method }),
    remove: (key: string, id: string) => call(`/v1/exports/${id}`, key, { method: "DELETE" }),
    list: (key: string, query = "") => call(`/v1/exports?${query}`, key),
    posted: async (key: string, body?: object): Promise<string> => (await post(key, body)).body.data.id,
  }
}
