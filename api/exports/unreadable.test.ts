// A record that this version cannot read, as another version or a broken disk would leave it.
import { Effect } from "effect"
import { beforeEach, expect, it, vi } from "vitest"
import { attemptNats, Nats } from "#nats/connection.ts"
import { BUCKETS, STREAMS, SUBJECTS } from "#schemas/names.ts"
import { expectProblem, newTenant, testApp } from "../test-app.ts"
import { tidyUp } from "./janitor.ts"
import { changeJob, findJob, type Job } from "./jobs.ts"
import { natsFiles } from "./nats-files.ts"
import { exportCalls, startWorker } from "./test-exporter.ts"

const { call, keyFor, run, logs } = testApp()
const { post, posted, get, list, download, remove, ended } = exportCalls(call)

const jobs = <A>(use: (bucket: Awaited<ReturnType<Nats["Service"]["kv"]["open"]>>) => Promise<A>) =>
  run(Effect.flatMap(Nats, ({ kv }) => attemptNats("jobs", async () => use(await kv.open(BUCKETS.exports)))))

const queued = (tenant: string) =>
  run(
    Effect.flatMap(Nats, ({ manager }) =>
      attemptNats("queue", async () => {
        const subjects_filter = `${SUBJECTS.exports}.${tenant}`
        return (await manager.streams.info(STREAMS.exports, { subjects_filter })).state.subjects ?? {}
      }),
    ),
  )

const ASKED = { action: ["cv.downloaded"] }
let tenant = ""
let key = ""
let id = ""
const place = () => `${tenant}.${id}`

/** An export of an action that the catalogue has dropped since. */
beforeEach(async () => {
  tenant = newTenant()
  key = await keyFor(tenant)
  id = (await post(key, ASKED, { "Idempotency-Key": "once" })).body.data.id
  await jobs(async (bucket) => {
    const text = (await bucket.get(place()))?.string() ?? ""
    await bucket.put(place(), text.replaceAll("cv.downloaded", "cv.forgotten"))
  })
})

it("is an export that is not there, and its tenant goes on exporting", async () => {
  expectProblem(await get(key, id), "not_found", 404)
  expectProblem(await download(key, id), "not_found", 404)
  expectProblem(await remove(key, id), "not_found", 404)
  const next = await posted(key)
  expect((await list(key)).body.data).toMatchObject([{ id: next }])
  const again = await post(key, ASKED, { "Idempotency-Key": "once" })
  expectProblem(again, "idempotency_key_reused", 422)
  const warnings = logs.filter((line) => line.includes(place()))
  expect(warnings.length).toBeGreaterThan(0)
  for (const line of warnings) expect(JSON.parse(line)).toMatchObject({ level: "WARN" })
})

it("is passed by in the queue", async () => {
  await startWorker()
  expect(await ended(key, await posted(key))).toMatchObject({ state: "completed" })
  await vi.waitFor(async () => expect(await queued(tenant)).toEqual({}), 5000)
})

it("does not keep others from expiring, and goes with its file when that is due", async () => {
  const files = await run(Effect.map(Nats, natsFiles))
  const theirs = newTenant()
  const theirKey = await keyFor(theirs)
  const maker = await startWorker()
  const other = await posted(theirKey)
  await ended(theirKey, other)
  await maker.stop()
  const due = (await run(findJob(theirs, other))) as Job
  await run(changeJob(due, { ...due.record, expires_at: Date.now() - 1 }))
  const file = `${place()}.1`
  const { signal } = new AbortController()
  await files.put(file, ReadableStream.from<Uint8Array>([Buffer.from("x")]), signal)
  const isThere = (name: string) =>
    Array.fromAsync(files.read(name, 0, 1)).then(
      () => true,
      () => false,
    )

  await run(tidyUp({ files, ttl: 60_000 }))
  expect(await isThere(`${theirs}.${other}.1`)).toBe(false)
  expect(await isThere(file)).toBe(true)
  expect(await jobs((bucket) => bucket.get(place()))).not.toBeNull()

  await vi.waitFor(async () => {
    await run(tidyUp({ files, ttl: 1 }))
    expect(await isThere(file)).toBe(false)
  }, 10_000)
  expect(await jobs((bucket) => bucket.get(place()))).toBeNull()
})
