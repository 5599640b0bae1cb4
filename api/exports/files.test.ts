import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3"
import { Effect } from "effect"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Nats } from "#nats/connection.ts"
import { freePort } from "../../test/free-port.ts"
import { newTenant, testApp } from "../test-app.ts"
import { blocksOf, type Files } from "./files.ts"
import { natsFiles } from "./nats-files.ts"
import { s3Files } from "./s3-files.ts"
import { exportCalls, linesText, startWorker } from "./test-exporter.ts"

const require = createRequire(import.meta.url)
const { run, call, keyFor } = testApp()
const { posted, ended } = exportCalls(call)

/** So that what is held is counted, and not what is thrown away already. */
setFlagsFromString("--expose-gc")
const collectGarbage = runInNewContext("gc") as () => void

const credentials = { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" }
const folder = mkdtempSync(join(tmpdir(), "tidemark-s3-"))
let stop: () => Promise<void> = () => Promise.resolve()
let endpoint = ""

/** A server that speaks S3, in a process of its own. */
beforeAll(async () => {
  const port = await Effect.runPromise(freePort)
  endpoint = `http://127.0.0.1:${port}`
  const program = require.resolve("s3rver/bin/s3rver.js")
  const server = spawn(
    process.execPath,
    [program, "-d", folder, "-a", "127.0.0.1", "-p", String(port), "-s"],
    {
      stdio: "ignore",
    },
  )
  stop = async () => {
    server.kill()
    await once(server, "exit")
  }
  const client = new S3Client({
    endpoint,
    region: "us-east-1",
    credentials,
    forcePathStyle: true,
    maxAttempts: 20,
  })
  await client.send(new CreateBucketCommand({ Bucket: "exports" }))
})
afterAll(async () => {
  await stop()
  rmSync(folder, { recursive: true, force: true })
})

const MIB = 1024 * 1024

/** So many bytes, each telling its place, in pieces of an odd size; counts how far ahead of the store they are asked for. */
async function* bytesOf(count: number, onPiece: (made: number) => void = () => undefined) {
  const piece = 100_003
  for (let at = 0; at < count; at += piece) {
    const bytes = Buffer.alloc(Math.min(piece, count - at))
    for (let byte = 0; byte < bytes.length; byte++) bytes[byte] = (at + byte) % 251
    onPiece(at + bytes.length)
    yield bytes
  }
}

const collect = async (bytes: AsyncIterable<Uint8Array>): Promise<Buffer> =>
  Buffer.concat(await Array.fromAsync(bytes))

const never = new AbortController().signal
const whole = await collect(bytesOf(20 * MIB))

describe.each([
  ["NATS's object store", () => run(Effect.map(Nats, natsFiles))],
  [
    "a store that speaks S3",
    () => Promise.resolve(s3Files({ endpoint, bucket: "exports", region: "us-east-1", credentials })),
  ],
] as const)("%s", (_, open) => {
  let files: Files
  const name = () => `${newTenant()}.x`
  beforeAll(async () => {
    files = await open()
  })

  it("gives back what was put, whole and in parts", async () => {
    const file = name()
    await files.put(file, bytesOf(whole.length), never)
    expect(whole.equals(await collect(files.read(file, 0, whole.length)))).toBe(true)
    for (const [start, length] of [
      // The test's server takes `bytes=0-0` for all of them.
      [0, 2],
      [524_287, 3],
      [9 * MIB, 2 * MIB],
      [whole.length - 1, 1],
    ] as const) {
      const part = await collect(files.read(file, start, length))
      expect(whole.subarray(start, start + length).equals(part), `${length} from ${start}`).toBe(true)
    }
    await files.remove(file)
  })

  it("keeps an empty file", async () => {
    const file = name()
    await files.put(file, bytesOf(0), never)
    expect(await collect(files.read(file, 0, 0))).toHaveLength(0)
    expect(await Array.fromAsync(files.list())).toContain(file)
    await files.remove(file)
  })

  it("removes for good, and what is not there is removed", async () => {
    const file = name()
    await files.put(file, bytesOf(MIB), never)
    await files.remove(file)
    await files.remove(file)
    expect(await Array.fromAsync(files.list())).not.toContain(file)
    await expect(collect(files.read(file, 0, MIB))).rejects.toMatchObject({
      _tag: "FilesError",
      reason: "missing",
    })
  })

  it("keeps nothing of a file whose writer failed or was told to stop", async () => {
    const failing = async function* () {
      yield* bytesOf(12 * MIB)
      throw new Error("no more rows")
    }
    const failed = name()
    await expect(files.put(failed, failing(), never)).rejects.toMatchObject({ _tag: "FilesError" })
    const stopped = name()
    const controller = new AbortController()
    const until = bytesOf(60 * MIB, (made) => {
      if (made > 20 * MIB) controller.abort()
    })
    await expect(files.put(stopped, until, controller.signal)).rejects.toMatchObject({ _tag: "FilesError" })
    const names = await Array.fromAsync(files.list())
    expect(names).not.toContain(failed)
    expect(names).not.toContain(stopped)
  })

  it("asks for no more than it can store", async () => {
    let most = 0
    let looks = 0
    const used = () => {
      collectGarbage()
      return process.memoryUsage().arrayBuffers
    }
    const before = used()
    const file = name()
    const count = bytesOf(200 * MIB, (made) => {
      if (made / (20 * MIB) < looks) return
      looks += 1
      most = Math.max(most, used() - before)
    })
    await files.put(file, count, never)
    expect(looks).toBeGreaterThan(9)
    // Some parts are on their way at a time, and what is thrown away lately may still be there.
    expect(most / MIB).toBeLessThan(80)
    await files.remove(file)
  })

  it("reads on only when it is asked", async () => {
    const file = name()
    await files.put(file, bytesOf(whole.length), never)
    const reader = files.read(file, 0, whole.length)[Symbol.asyncIterator]()
    const { value } = await reader.next()
    expect(value?.length).toBeLessThanOrEqual(8 * MIB)
    await reader.return?.()
    await files.remove(file)
  })

  it("is where an export is kept", async () => {
    const tenant = newTenant()
    const key = await keyFor(tenant)
    await startWorker({ store: () => files })
    const id = await posted(key)
    expect(await ended(key, id)).toMatchObject({ state: "completed" })
    const text = linesText(1000)
    expect((await collect(files.read(`${tenant}.${id}.1`, 0, text.length))).toString()).toBe(text)
  })
})

it("a store of files that does not answer is an error of a kind", async () => {
  const away = s3Files({
    endpoint: "http://127.0.0.1:1",
    bucket: "exports",
    region: "us-east-1",
    credentials,
  })
  await expect(away.remove("x")).rejects.toMatchObject({ _tag: "FilesError", reason: "unavailable" })
})

it("blocks are of one size, whatever comes", async () => {
  const blocks = await Array.fromAsync(blocksOf(bytesOf(1_000_000), 65_536))
  expect(new Set(blocks.slice(0, -1).map(({ length }) => length))).toEqual(new Set([65_536]))
  expect(Buffer.concat(blocks).equals(whole.subarray(0, 1_000_000))).toBe(true)
})
