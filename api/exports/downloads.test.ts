import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { getRequestListener } from "@hono/node-server"
import { Objm } from "@nats-io/obj"
import { Effect } from "effect"
import { describe, expect, it, onTestFinished } from "vitest"
import { Nats } from "#nats/connection.ts"
import { EXPORT_FILES } from "#schemas/names.ts"
import { expectProblem, newTenant, testApp } from "../test-app.ts"
import { byteRangeOf } from "./byte-range.ts"
import { exportCalls, linesText, sha256, startWorker } from "./test-exporter.ts"
import type { Rendering } from "./render.ts"

const { app, call, keyFor, run } = testApp()
const { posted, ended, download } = exportCalls(call)

const completed = async (key: string, body: object = {}): Promise<string> => {
  const worker = await startWorker()
  const id = await posted(key, body)
  expect(await ended(key, id)).toMatchObject({ state: "completed" })
  await worker.stop()
  return id
}

describe("a download", () => {
  it("says what it is", async () => {
    const tenant = newTenant()
    const key = await keyFor(tenant)
    const id = await completed(key)
    const { status, headers, body } = await download(key, id)
    const text = linesText(1000)
    expect(status).toBe(200)
    expect(body).toBe(text)
    expect(Object.fromEntries(headers)).toMatchObject({
      "content-length": String(text.length),
      "content-type": "text/csv; charset=utf-8; header=present",
      "content-disposition": `attachment; filename="${tenant}_user_actions_2026-11-01_2026-11-07.csv"`,
      etag: `"${sha256(text)}"`,
      "repr-digest": `sha-256=:${Buffer.from(sha256(text), "hex").toString("base64")}:`,
      "accept-ranges": "bytes",
      "cache-control": "private, no-store, no-transform",
    })
  })

  it("is not compressed on its way, which would break its length", async () => {
    const key = await keyFor(newTenant())
    const id = await completed(key)
    const { headers, body } = await download(key, id, { "Accept-Encoding": "gzip" })
    expect(headers.get("Content-Encoding")).toBeNull()
    expect(body).toBe(linesText(1000))
  })

  it("may be a range", async () => {
    const key = await keyFor(newTenant())
    const id = await completed(key)
    const text = linesText(1000)
    for (const [range, first, last] of [
      ["bytes=0-0", 0, 0],
      ["bytes=10-99", 10, 99],
      ["bytes=9000-", 9000, text.length - 1],
      ["bytes=-5", text.length - 5, text.length - 1],
      ["bytes=5-999999999", 5, text.length - 1],
    ] as const) {
      const { status, headers, body } = await download(key, id, { Range: range })
      expect(status, range).toBe(206)
      expect(headers.get("Content-Range")).toBe(`bytes ${first}-${last}/${text.length}`)
      expect(headers.get("Content-Length")).toBe(String(last - first + 1))
      expect(body).toBe(text.slice(first, last + 1))
    }
    const none = await download(key, id, { Range: `bytes=${text.length}-` })
    expectProblem(none, "range_not_satisfiable", 416)
    expect(none.headers.get("Content-Range")).toBe(`bytes */${text.length}`)
    expect((await download(key, id, { Range: "bytes=0-1,5-6" })).status).toBe(200)
  })

  it("of a range goes on only with the file that it began with", async () => {
    const key = await keyFor(newTenant())
    const id = await completed(key)
    const tag = `"${sha256(linesText(1000))}"`
    const goesOn = await download(key, id, { Range: "bytes=5-9", "If-Range": tag })
    const another = await download(key, id, { Range: "bytes=5-9", "If-Range": '"x"' })
    expect([goesOn.status, another.status]).toEqual([206, 200])
    expect(another.body).toBe(linesText(1000))
  })

  it("that the caller has already is not sent again", async () => {
    const key = await keyFor(newTenant())
    const id = await completed(key)
    const tag = `"${sha256(linesText(1000))}"`
    const known = await download(key, id, { "If-None-Match": `"x", ${tag}` })
    expect({ status: known.status, body: known.body }).toEqual({ status: 304, body: "" })
  })

  it("of its head alone has no body", async () => {
    const key = await keyFor(newTenant())
    const id = await completed(key)
    const { status, headers, body } = await download(key, id, {}, "HEAD")
    expect({ status, body, length: headers.get("Content-Length") }).toEqual({
      status: 200,
      body: "",
      length: String(linesText(1000).length),
    })
  })

  it("of its head alone is no range: that is for GET", async () => {
    const key = await keyFor(newTenant())
    const id = await completed(key)
    for (const range of ["bytes=0-9", "bytes=99999999-"]) {
      const { status, headers } = await download(key, id, { Range: range }, "HEAD")
      expect(status, range).toBe(200)
      expect(headers.get("Content-Range")).toBeNull()
      expect(headers.get("Content-Length")).toBe(String(linesText(1000).length))
    }
  })
})

const STREAM = `OBJ_${EXPORT_FILES}`
/** Five pieces of the object store and a bit: what a file is in there. */
const SIZE = 2_700_000
const PIECE = 512 * 1024
const large = async function* ({ onRows }: Rendering) {
  for (let at = 0; at < SIZE; at += 100_000) {
    yield Buffer.alloc(100_000, at / 100_000)
    onRows(1)
  }
}

const listening = async (): Promise<string> => {
  const server = createServer(getRequestListener(app().fetch))
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Takes away a piece of a file, as a broken disk would, and leaves something else where that is said. */
const losePiece = (name: string, which: number, instead?: Uint8Array) =>
  run(
    Effect.flatMap(Nats, ({ jetstream, manager }) =>
      Effect.promise(async () => {
        const store = await new Objm(jetstream).open(EXPORT_FILES)
        const next_by_subj = `$O.${EXPORT_FILES}.C.${(await store.info(name))?.nuid}`
        let seq = 0
        for (let piece = 0; piece < which; piece++)
          seq = (await manager.direct.getMessage(STREAM, { seq: seq + 1, next_by_subj }))?.seq ?? 0
        expect(await manager.streams.deleteMessage(STREAM, seq)).toBe(true)
        if (instead !== undefined) await jetstream.publish(next_by_subj, instead)
      }),
    ),
  )

describe("a file that breaks in the middle", () => {
  it("breaks the connection, and is never a short 200", async () => {
    const tenant = newTenant()
    const key = await keyFor(tenant)
    const worker = await startWorker({ render: large })
    const id = await posted(key)
    await ended(key, id)
    await worker.stop()
    const url = `${await listening()}/v1/exports/${id}/download`
    const headers = { Authorization: `Bearer ${key}` }
    const whole = await fetch(url, { headers })
    expect((await whole.arrayBuffer()).byteLength).toBe(SIZE)

    await losePiece(`${tenant}.${id}.1`, 3, Buffer.alloc(PIECE))
    const broken = await fetch(url, { headers })
    expect(broken.status).toBe(200)
    expect(broken.headers.get("Content-Length")).toBe(String(SIZE))
    // Not the bytes: they would be printed one by one.
    await expect(broken.arrayBuffer().then(({ byteLength }) => byteLength)).rejects.toThrow("terminated")
  })

  it("is refused in words when a piece is gone, and no range gives other bytes than its own", async () => {
    const tenant = newTenant()
    const key = await keyFor(tenant)
    const worker = await startWorker({ render: large })
    const id = await posted(key)
    await ended(key, id)
    await worker.stop()
    const ranges = [{}, { Range: "bytes=1700000-1799999" }, { Range: `bytes=${SIZE - 10}-` }]
    for (const headers of ranges) expect((await download(key, id, headers)).status).toBeLessThan(300)

    await losePiece(`${tenant}.${id}.1`, 2)
    for (const headers of ranges) expectProblem(await download(key, id, headers), "export_gone", 410)
  })

  it("at its very beginning is refused in words", async () => {
    const key = await keyFor(newTenant())
    const worker = await startWorker({ render: large })
    const id = await posted(key)
    await ended(key, id)
    for await (const name of worker.files.list()) if (name.includes(id)) await worker.files.remove(name)
    await worker.stop()
    expectProblem(await download(key, id), "export_gone", 410)
  })
})

describe("a Range header", () => {
  it.each([
    [undefined, undefined],
    ["bytes=-", undefined],
    ["bytes=9-3", undefined],
    ["items=0-1", undefined],
    ["bytes=0-1,3-4", undefined],
    ["bytes=a-b", undefined],
    ["bytes=-0", "unsatisfiable"],
    ["bytes=10-", "unsatisfiable"],
    ["bytes=9-", { first: 9, last: 9 }],
    ["bytes=-20", { first: 0, last: 9 }],
    ["BYTES=0-3", { first: 0, last: 3 }],
  ])("%s of ten bytes", (header, expected) => {
    expect(byteRangeOf(header, 10)).toEqual(expected)
  })
  it("of an empty file finds nothing", () => {
    expect(byteRangeOf("bytes=0-", 0)).toBe("unsatisfiable")
    expect(byteRangeOf("bytes=-1", 0)).toBe("unsatisfiable")
  })
})
