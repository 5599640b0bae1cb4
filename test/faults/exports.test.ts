// Exporters as processes of their own, killed and paused in the middle of large jobs.
import { type ChildProcess, spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { once } from "node:events"
import { join } from "node:path"
import { gunzipSync } from "node:zlib"
import { Effect } from "effect"
import { beforeAll, describe, expect, inject, it, onTestFinished, vi } from "vitest"
import { ClickHouse } from "#clickhouse"
import { Nats } from "#nats/connection.ts"
import { TABLES } from "#schemas/names.ts"
import { findJob } from "../../api/exports/jobs.ts"
import { natsFiles } from "../../api/exports/nats-files.ts"
import { render } from "../../api/exports/render.ts"
import { exportCalls } from "../../api/exports/test-exporter.ts"
import { newTenant, storeAs, testApp } from "../../api/test-app.ts"
import { putTenant } from "../../api/test-rows.ts"
import { ROOT } from "../compose.ts"
import { freePort } from "../free-port.ts"

const { app, call, keyFor, run } = testApp()
const { post, ended, until } = exportCalls(call)

const LEASE = 2000

/** An exporter, as `tidemark exporter` starts it. */
const startExporter = async (): Promise<ChildProcess> => {
  const port = await Effect.runPromise(freePort)
  const child = spawn(process.execPath, [join(ROOT, "deploy", "cli.ts"), "exporter"], {
    env: {
      ...process.env,
      NATS_URL: inject("natsUrl"),
      CLICKHOUSE_URL: inject("clickhouseUrl"),
      EXPORTER_PORT: String(port),
      EXPORT_LEASE: `${LEASE}ms`,
      LOG_LEVEL: "warn",
    },
    stdio: "inherit",
  })
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill("SIGCONT")
    child.kill("SIGKILL")
    await once(child, "exit")
  })
  await vi.waitFor(async () => expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200), {
    timeout: 120_000,
    interval: 100,
  })
  return child
}

/** So many that a file takes seconds, on a machine that does nothing else. */
const ROWS = 900_000
const tenant = newTenant()
const BODY = { from: "2026-10-01", to: "2026-10-31", gzip: true } as const
let key = ""
let stored = 0

const INSERT = `
INSERT INTO ${TABLES.actions} (
  tenant, id, source, type, time, actor_id, actor_type, quantity, contact_id, page, zone, local_day, generation, stream,
  stream_seq, received_at
)
SELECT
  {tenant:String} AS tenant,
  concat('e-', toString(number)) AS id,
  '/test' AS source,
  'contact.created' AS type,
  toDateTime64('2026-10-01 00:00:00', 3, 'UTC') + number % 2600000 AS time,
  concat('u_', toString(number % 500)) AS actor_id,
  'member' AS actor_type,
  1 AS quantity,
  hex(sipHash128(number)) AS contact_id,
  concat('jobs/', toString(number % 977)) AS page,
  'Asia/Kathmandu' AS zone,
  toDate(time, 'Asia/Kathmandu') AS local_day,
  0 AS generation,
  'ACTIONS' AS stream,
  number AS stream_seq,
  time AS received_at
FROM numbers({first:UInt64}, {count:UInt64})`

/** Actions as the writer stores them, each later in the stream than all before. */
const putMany = async (count: number): Promise<void> => {
  const params = { tenant, first: stored + 1, count }
  stored += count
  await Effect.gen(function* () {
    const store = yield* ClickHouse
    yield* store.command(INSERT, { params })
  }).pipe(Effect.provide(storeAs("tidemark_writer")), Effect.runPromise)
}

beforeAll(async () => {
  key = await keyFor(tenant)
  await putTenant(tenant, "Asia/Kathmandu")
  await putMany(ROWS)
}, 120_000)

const fileOf = async (id: string): Promise<Buffer> => {
  const response = await app().request(`/v1/exports/${id}/download`, {
    headers: { Authorization: `Bearer ${key}` },
  })
  return Buffer.from(await response.arrayBuffer())
}

const filesOf = async (id: string): Promise<ReadonlyArray<string>> => {
  const files = await run(Effect.map(Nats, natsFiles))
  return (await Array.fromAsync(files.list())).filter((name) => name.includes(id))
}

/** Every row once, none besides. */
const expectWhole = async (id: string, sha256: string | null): Promise<void> => {
  const file = await fileOf(id)
  expect(createHash("sha256").update(file).digest("hex")).toBe(sha256)
  const lines = gunzipSync(file).toString().trimEnd().split("\r\n")
  expect(lines).toHaveLength(ROWS + 1)
  expect(new Set(lines).size).toBe(ROWS + 1)
}

describe("an exporter", { timeout: 300_000 }, () => {
  it("that is killed in the middle is followed by another, and there is one file, the right one", async () => {
    const { id } = (await post(key, BODY)).body.data
    for (const attempt of [1, 2]) {
      const victim = await startExporter()
      await until(key, id, ({ state, attempts }) => state === "running" && attempts === attempt, 40)
      victim.kill("SIGKILL")
      await once(victim, "exit")
    }
    await startExporter()
    const ready = Date.now()
    await until(key, id, ({ attempts }) => attempts === 3)
    expect(Date.now() - ready).toBeLessThan(LEASE + 10_000)
    const made = await ended(key, id, 60)
    expect(made).toMatchObject({ state: "completed", attempts: 3, rows: ROWS })
    await expectWhole(id, made.sha256)
    expect(await filesOf(id)).toEqual([`${tenant}.${id}.3`])

    // Nothing arrived since, so another export is the same to the byte, through no death at all.
    const other = await ended(key, (await post(key, BODY)).body.data.id, 60)
    expect(other).toMatchObject({ sha256: made.sha256, attempts: 1 })
  })

  it("that is paused and wakes up does not finish what another owns", async () => {
    const sleeper = await startExporter()
    const { id } = (await post(key, BODY)).body.data
    await until(key, id, ({ state }) => state === "running", 60)
    sleeper.kill("SIGSTOP")
    await startExporter()
    const made = await ended(key, id, 60)
    expect(made).toMatchObject({ state: "completed", attempts: 2, rows: ROWS })
    const before = await run(findJob(tenant, id))
    sleeper.kill("SIGCONT")
    // It is awake, and has noticed, when it has done another tenant's export.
    const theirKey = await keyFor(newTenant())
    await ended(theirKey, (await post(theirKey, BODY)).body.data.id, 60)
    await vi.waitFor(async () => expect(await filesOf(id)).toEqual([`${tenant}.${id}.2`]), 20_000)
    expect(await run(findJob(tenant, id))).toEqual(before)
    await expectWhole(id, made.sha256)
  })
})

describe("a snapshot", { timeout: 300_000 }, () => {
  it("holds nothing that arrives while it is made, and gives the same bytes again", async () => {
    const { id } = (await post(key, BODY)).body.data
    const done = new AbortController()
    const arrivals = (async () => {
      while (!done.signal.aborted) await putMany(500)
    })()
    await startExporter()
    const made = await ended(key, id, 60)
    done.abort()
    await arrivals
    expect(stored).toBeGreaterThan(ROWS + 1000)
    expect(made).toMatchObject({ state: "completed", rows: ROWS })
    await expectWhole(id, made.sha256)

    const job = await run(findJob(tenant, id))
    if (job === undefined) throw new Error("no such job")
    const { request, snapshot } = job.record
    const again = createHash("sha256")
    const { signal } = new AbortController()
    const ignore = () => undefined
    await Effect.gen(function* () {
      const store = yield* ClickHouse
      const bytes = render({ store, request, snapshot, signal, onExpected: ignore, onRows: ignore })
      yield* Effect.promise(async () => {
        for await (const chunk of bytes) again.update(chunk)
      })
    }).pipe(Effect.provide(storeAs("tidemark_exporter")), Effect.runPromise)
    expect(again.digest("hex")).toBe(
      createHash("sha256")
        .update(gunzipSync(await fileOf(id)))
        .digest("hex"),
    )
  })
})
