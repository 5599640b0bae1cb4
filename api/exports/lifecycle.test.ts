import { Effect } from "effect"
import { describe, expect, it, onTestFinished, vi } from "vitest"
import type { Export } from "#schemas/export-job.ts"
import type { LedgerRecord } from "#schemas/ledger.ts"
import { actionSubject, BUCKETS, exportSubject, STREAMS } from "#schemas/names.ts"
import { Nats } from "#nats/connection.ts"
import { expectProblem, newTenant, testApp } from "../test-app.ts"
import type { Files } from "./files.ts"
import { tidyUp } from "./janitor.ts"
import { natsFiles } from "./nats-files.ts"
import { queuedByTenant } from "./queue.ts"
import type { Rendering } from "./render.ts"
import { exportCalls, lines, linesText, sha256, startWorker } from "./test-exporter.ts"

const { call, keyFor, run } = testApp()
const { post, posted, get, until, ended, download, remove, list } = exportCalls(call)

const filesOf = async (files: Files, tenant: string): Promise<ReadonlyArray<string>> =>
  (await Array.fromAsync(files.list())).filter((name) => name.startsWith(`${tenant}.`))

describe("an export", () => {
  it("is queued, made and downloaded", async () => {
    const tenant = newTenant()
    const key = await keyFor(tenant)
    const asked = await post(key)
    expect(asked.status).toBe(202)
    const { id } = asked.body.data
    expect(asked.headers.get("Location")).toBe(`/v1/exports/${id}`)
    expect(asked.body.data).toMatchObject({ state: "queued", progress: 0, sha256: null, failure: null })
    expectProblem(await download(key, id), "export_not_ready", 409)

    const worker = await startWorker()
    const made = await ended(key, id)
    const text = linesText(1000)
    expect(made).toMatchObject({
      state: "completed",
      rows: 1000,
      bytes: text.length,
      sha256: sha256(text),
      progress: 1,
      attempts: 1,
    })
    expect(Date.parse(made.expires_at ?? "") - Date.parse(made.ended_at ?? "")).toBe(60_000)
    expect((await download(key, id)).body).toBe(text)
    expect((await list(key)).body.data.map((job: Export) => job.id)).toEqual([id])
    expect(await filesOf(worker.files, tenant)).toEqual([`${tenant}.${id}.1`])
  })

  it("says how far it is", async () => {
    await startWorker({ render: lines(4000, 100) })
    const key = await keyFor(newTenant())
    const id = await posted(key)
    const half = await until(key, id, ({ progress }) => progress !== null && progress > 0.2 && progress < 1)
    expect(half.state).toBe("running")
    expect(half.rows / 4000).toBeCloseTo(half.progress ?? 0, 1)
    expect(await ended(key, id)).toMatchObject({ progress: 1, rows: 4000 })
  })

  it("that is canceled while it runs leaves no file, and its place to the next", async () => {
    const worker = await startWorker({ render: lines(100_000, 50) })
    const tenant = newTenant()
    const key = await keyFor(tenant)
    const id = await posted(key)
    await until(key, id, ({ rows }) => rows > 0)
    const next = await posted(key)
    const canceled = await remove(key, id)
    expect(canceled.body.data).toMatchObject({ id, state: "canceled" })
    await until(key, next, ({ state }) => state === "running")
    expect((await get(key, id)).body.data.state).toBe("canceled")
    expectProblem(await download(key, id), "export_gone", 410)
    await remove(key, next)
    await vi.waitFor(async () => expect(await filesOf(worker.files, tenant)).toEqual([]), 15_000)
  })

  it("that is canceled before it runs is not made", async () => {
    const key = await keyFor(newTenant())
    const id = await posted(key)
    expect((await remove(key, id)).body.data.state).toBe("canceled")
    expect((await remove(key, id)).body.data.state).toBe("canceled")
    await startWorker()
    const next = await posted(key)
    expect(await ended(key, next)).toMatchObject({ state: "completed" })
    expect((await get(key, id)).body.data).toMatchObject({ state: "canceled", attempts: 0 })
  })

  it("is expired when its file is removed", async () => {
    const worker = await startWorker()
    const tenant = newTenant()
    const key = await keyFor(tenant)
    const id = await posted(key)
    await ended(key, id)
    expect((await remove(key, id)).body.data.state).toBe("expired")
    expectProblem(await download(key, id), "export_gone", 410)
    expect(await filesOf(worker.files, tenant)).toEqual([])
  })

  it("expires, its file goes, and in the end it is forgotten", async () => {
    const worker = await startWorker({ ttl: 2000 })
    const tenant = newTenant()
    const key = await keyFor(tenant)
    const id = await posted(key)
    const { expires_at } = await ended(key, id)
    expect(await filesOf(worker.files, tenant)).toHaveLength(1)
    expect((await download(key, id)).status).toBe(200)
    const expired = await until(key, id, ({ state }) => state === "expired")
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(expires_at ?? ""))
    expect(expired.expires_at).toBe(expires_at)
    expectProblem(await download(key, id), "export_gone", 410)
    await vi.waitFor(async () => expect(await filesOf(worker.files, tenant)).toEqual([]), 15_000)
    await vi.waitFor(async () => expectProblem(await get(key, id), "not_found", 404), 15_000)
  })
})

it("waits until the writer has stored what the stream held at the asking", async () => {
  const { ledger, through } = await run(
    Effect.flatMap(Nats, ({ jetstream, kv }) =>
      Effect.promise(async () => {
        const subject = actionSubject(newTenant(), "contact.created")
        const { seq } = await jetstream.publish(subject, "{}")
        return { ledger: await kv.open(BUCKETS.ledger), through: seq }
      }),
    ),
  )
  const commit = (committed: number) =>
    ledger.put(
      STREAMS.actions,
      JSON.stringify({
        generation: 1,
        stream: STREAMS.actions,
        created: "",
        committed,
        committed_id: "",
        committed_at: 0,
        horizon: committed,
        look_up_all_until: 0,
        duplicate_window: 1000,
        max_clock_ahead: 0,
        owner: "test",
        epoch: 1,
        lease_until: 0,
      } satisfies LedgerRecord),
    )
  onTestFinished(() => ledger.purge(STREAMS.actions))
  await commit(through - 1)
  await startWorker()
  const key = await keyFor(newTenant())
  const asked = await post(key)
  const { id, manifest } = asked.body.data
  expect(manifest.stream).toEqual({ name: STREAMS.actions, generation: 1, sequence: through })
  // Long enough for two looks; nothing tells of a look that found nothing.
  await expect(ended(key, id, 2.5)).rejects.toThrow('"state":"queued"')
  await commit(through)
  expect(await ended(key, id)).toMatchObject({ state: "completed", attempts: 1 })
})

describe("a worker", () => {
  it("that is told to stop gives its job back, and the attempt does not count", async () => {
    const first = await startWorker({ render: lines(100_000, 50) })
    const key = await keyFor(newTenant())
    const id = await posted(key)
    await until(key, id, ({ rows }) => rows > 0)
    await first.stop()
    expect((await get(key, id)).body.data).toMatchObject({ state: "queued", attempts: 0 })
    await startWorker()
    expect(await ended(key, id, 4)).toMatchObject({ state: "completed", attempts: 1 })
  })

  it("does no more at once for one tenant than is allowed, and others meanwhile", async () => {
    const started: Array<string> = []
    let most = 0
    const atOnce = new Map<string, number>()
    const render = async function* (rendering: Rendering) {
      const { tenant } = rendering.snapshot
      started.push(tenant)
      atOnce.set(tenant, (atOnce.get(tenant) ?? 0) + 1)
      most = Math.max(most, atOnce.get(tenant) ?? 0)
      yield* lines(1000, 30)(rendering)
      atOnce.set(tenant, (atOnce.get(tenant) ?? 0) - 1)
    }
    const [busy, other] = [newTenant(), newTenant()]
    const busyKey = await keyFor(busy)
    const otherKey = await keyFor(other)
    const many = await Promise.all(Array.from({ length: 6 }, () => posted(busyKey)))
    const one = await posted(otherKey)
    await Promise.all([startWorker({ render }), startWorker({ render })])
    expect(await ended(otherKey, one)).toMatchObject({ state: "completed" })
    expect(started.filter((tenant) => tenant === busy).length).toBeLessThan(4)
    for (const id of many) expect(await ended(busyKey, id)).toMatchObject({ state: "completed" })
    expect(most).toBe(1)
  })

  it("is not held up by a tenant that has as much under way as it may", async () => {
    const busy = newTenant()
    const slow = (rendering: Rendering) =>
      lines(rendering.snapshot.tenant === busy ? 100_000 : 100, 50)(rendering)
    await startWorker({ render: slow, lease: 20_000 })
    const busyKey = await keyFor(busy)
    const otherKey = await keyFor(newTenant())
    const [first = "", second = ""] = [await posted(busyKey), await posted(busyKey)]
    const isRunning = ({ state }: Export) => state === "running"
    await until(busyKey, first, isRunning)
    const asked = performance.now()
    await ended(otherKey, await posted(otherKey))
    expect(performance.now() - asked).toBeLessThan(4000)
    await remove(busyKey, first)
    await until(busyKey, second, isRunning, 10)
    await remove(busyKey, second)
  })

  it("finds a job that never came into the queue, though others of its tenant did", async () => {
    const tenant = newTenant()
    const key = await keyFor(tenant)
    const lost = await posted(key)
    await run(
      Effect.flatMap(Nats, ({ manager }) =>
        Effect.promise(() => manager.streams.purge(STREAMS.exports, { filter: exportSubject(tenant) })),
      ),
    )
    const queued = [await posted(key), await posted(key)]
    const files = await run(Effect.map(Nats, natsFiles))
    const messages = async () => (await run(queuedByTenant())).get(tenant)
    expect(await messages()).toBe(2)
    // Once is enough, however often it is looked for.
    for (let at = 0; at < 2; at++) {
      await run(tidyUp({ files, ttl: 60_000 }))
      expect(await messages()).toBe(3)
    }
    await startWorker()
    for (const id of [lost, ...queued])
      expect(await ended(key, id)).toMatchObject({ state: "completed", attempts: 1 })
  })

  it("finds a job that never came into the queue", async () => {
    const tenant = newTenant()
    const key = await keyFor(tenant)
    const id = await posted(key)
    await run(
      Effect.flatMap(Nats, ({ manager }) =>
        Effect.promise(() => manager.streams.purge(STREAMS.exports, { filter: exportSubject(tenant) })),
      ),
    )
    await startWorker()
    expect(await ended(key, id)).toMatchObject({ state: "completed", attempts: 1 })
  })

  it("removes files that belong to no export", async () => {
    const tenant = newTenant()
    const stray = `${tenant}.0199a3f2-7c1e-7d3a-9b52-2f1f6f0f9a11.1`
    const theirs = `${tenant}-of-somebody-else`
    const store = await run(Effect.map(Nats, natsFiles))
    const { signal } = new AbortController()
    for (const name of [stray, theirs])
      await store.put(name, ReadableStream.from<Uint8Array>([Buffer.from("x")]), signal)
    await startWorker()
    await vi.waitFor(async () => expect(await filesOf(store, tenant)).toEqual([]), 15_000)
    expect(await Array.fromAsync(store.list())).toContain(theirs)
    await store.remove(theirs)
  })
})
