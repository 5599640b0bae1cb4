import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net"
import { describe, expect, inject, it, onTestFinished } from "vitest"
import { ClickHouseError } from "#clickhouse"
import { expectProblem, newTenant, testApp } from "../test-app.ts"
import { nextAttempt } from "./attempt.ts"
import { FilesError, type Files } from "./files.ts"
import { changeJob, findJob, type Job } from "./jobs.ts"
import { natsFiles } from "./nats-files.ts"
import { render, type Rendering } from "./render.ts"
import { exportCalls, lines, linesText, startWorker } from "./test-exporter.ts"

const { call, keyFor, run } = testApp()
const { posted, until, ended, download } = exportCalls(call)

async function* broken(error: Error): AsyncGenerator<Uint8Array, void, undefined> {
  yield* []
  throw error
}

const filesOf = async (files: Files, tenant: string): Promise<ReadonlyArray<string>> =>
  (await Array.fromAsync(files.list())).filter((name) => name.startsWith(`${tenant}.`))

/** A way to the store that can be shut. */
const doorTo = async (url: URL) => {
  const sockets = new Set<Socket>()
  const listening = (port: number) =>
    new Promise<Server>((resolve) => {
      const server = createServer((inner) => {
        const outer = connect(Number(url.port), url.hostname)
        for (const socket of [inner, outer]) {
          sockets.add(socket)
          socket.on("error", () => undefined).on("close", () => sockets.delete(socket))
        }
        inner.pipe(outer).pipe(inner)
      }).listen(port, "127.0.0.1", () => resolve(server))
    })
  let server = await listening(0)
  const { port } = server.address() as AddressInfo
  const shut = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      for (const socket of sockets) socket.destroy()
    })
  onTestFinished(shut)
  return {
    url: `http://127.0.0.1:${port}`,
    shut,
    open: async () => {
      server = await listening(port)
    },
  }
}

describe("an attempt that fails", () => {
  it("because there is too much data is the last", async () => {
    await startWorker({
      render: () => broken(new ClickHouseError({ reason: "time_limit", detail: "TIMEOUT_EXCEEDED" })),
    })
    const key = await keyFor(newTenant())
    const id = await posted(key)
    expect(await ended(key, id)).toMatchObject({ state: "failed", failure: "too_much_data", attempts: 1 })
    expectProblem(await download(key, id), "export_gone", 410)
  })

  it("because the store broke off is followed by one that makes the file whole", async () => {
    const tenant = newTenant()
    let attempts = 0
    const half = async function* (rendering: Rendering) {
      if (rendering.snapshot.tenant === tenant) attempts += 1
      yield* lines(500)(rendering)
      if (attempts === 1) throw new ClickHouseError({ reason: "unavailable", detail: "ECONNRESET" })
    }
    const worker = await startWorker({ render: half })
    const key = await keyFor(tenant)
    const id = await posted(key)
    expect(await ended(key, id)).toMatchObject({ state: "completed", attempts: 1, rows: 500 })
    expect((await download(key, id)).body).toBe(linesText(500))
    expect(await filesOf(worker.files, tenant)).toEqual([`${tenant}.${id}.1`])
  })

  it("because the store is away does not count, however often", async () => {
    const door = await doorTo(new URL(inject("clickhouseUrl")))
    const tenant = newTenant()
    let attempts = 0
    await startWorker({
      clickhouseUrl: door.url,
      render: (rendering) => {
        if (rendering.snapshot.tenant === tenant) attempts += 1
        return render(rendering)
      },
    })
    await door.shut()
    const key = await keyFor(tenant)
    const id = await posted(key)
    // Each of them waits twice as long as the one before.
    const waiting = await until(key, id, ({ state }) => attempts === 4 && state !== "running")
    expect(waiting).toMatchObject({ state: "queued", attempts: 0, failure: null })
    await door.open()
    expect(await ended(key, id)).toMatchObject({ state: "completed", attempts: 1 })
    expect(attempts).toBe(5)
  })

  it("because a store stays away fails the export with its reason in the end", async () => {
    const away = new FilesError({ reason: "unavailable", operation: "write", detail: "ECONNREFUSED" })
    await startWorker({
      patience: 1500,
      store: (nats) => ({ ...natsFiles(nats), put: () => Promise.reject(away) }),
    })
    const key = await keyFor(newTenant())
    const id = await posted(key)
    const { created_at, ended_at, ...failed } = await ended(key, id)
    expect(failed).toMatchObject({ state: "failed", failure: "files_unavailable", attempts: 1 })
    expect(Date.parse(ended_at ?? "") - Date.parse(created_at)).toBeGreaterThanOrEqual(1500)
  })

  it("again and again for another reason fails the export", async () => {
    await startWorker({
      render: () => broken(new ClickHouseError({ reason: "other", detail: "ILLEGAL_COLUMN" })),
    })
    const key = await keyFor(newTenant())
    const id = await posted(key)
    expect(await ended(key, id)).toMatchObject({ state: "failed", failure: "store_unavailable", attempts: 4 })
  })

  it("because its worker is gone fails the export when it was the last", async () => {
    const tenant = newTenant()
    const key = await keyFor(tenant)
    const id = await posted(key)
    const job = (await run(findJob(tenant, id))) as Job
    await run(changeJob(job, { ...job.record, state: "running", attempt: 4, worker: "gone", message: 0 }))
    const lost = (await run(findJob(tenant, id))) as Job
    await run(changeJob(lost, { ...lost.record, state: "queued" }))
    await startWorker()
    expect(await ended(key, id)).toMatchObject({ state: "failed", failure: "worker_lost", attempts: 4 })
  })
})

describe("the wait for a store that is away", () => {
  const job = { attempt: 1 } as Job["record"]
  const MINUTE = 60_000

  it("grows to half a minute, and ends when the patience does", () => {
    const waits: Array<number> = []
    let now = 0
    for (let record = job; ;) {
      const next = nextAttempt("awhile", record, now, 30 * MINUTE)
      if (next === undefined) break
      expect(next.record).toEqual({ attempt: 0, away_since: 0 })
      record = { ...record, ...next.record, attempt: 1 }
      waits.push(next.delay)
      now += next.delay
    }
    expect(waits.slice(0, 8)).toEqual([1000, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
    expect(now).toBeGreaterThanOrEqual(30 * MINUTE)
    expect(now).toBeLessThan(31 * MINUTE)
  })

  it("begins with the first time that it is away, not with the asking", () => {
    const next = nextAttempt("awhile", { ...job, created_at: 0 }, 600 * MINUTE, 30 * MINUTE)
    expect(next).toMatchObject({ delay: 1000, record: { away_since: 600 * MINUTE } })
  })
})
