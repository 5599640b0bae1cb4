// Where a body ends in an error, however the network cuts it.
import { Readable } from "node:stream"
import { describe, expect, it } from "vitest"
import { readBody } from "./body.ts"

const TAG = "qbhmfafgkvfqhwrd"
const MESSAGE = "Code: 395. DB::Exception: no. (FUNCTION_THROW_IF_VALUE_IS_NON_ZERO) (version 26.7.2.1)\n"
const BLOCK = `\r\n__exception__\r\n${TAG}\r\n${MESSAGE}${MESSAGE.length} ${TAG}\r\n__exception__\r\n`
const DATA = "1,2\r\n3,4\r\n__exception__\r\n5,6\r\n"

const read = async (pieces: ReadonlyArray<string>) => {
  const source = Readable.from(pieces.map((piece) => Buffer.from(piece)))
  let text = ""
  try {
    for await (const chunk of readBody(source, TAG)) text += chunk.toString()
    return { text, code: undefined }
  } catch (error) {
    return { text, code: (error as { readonly code?: number }).code }
  }
}

/** In two pieces, cut at every place, and in single bytes. */
const cuts = (text: string): ReadonlyArray<ReadonlyArray<string>> => [
  ...Array.from(text, (_, at) => [text.slice(0, at), text.slice(at)]),
  Array.from(text),
]

describe("a body", () => {
  it("without an error comes whole, wherever it is cut", async () => {
    for (const pieces of cuts(DATA)) expect(await read(pieces)).toEqual({ text: DATA, code: undefined })
  })
  it("with an error ends in it, and holds nothing of it, wherever it is cut", async () => {
    for (const pieces of cuts(`${DATA}${BLOCK}`)) {
      const { text, code } = await read(pieces)
      expect(code).toBe(395)
      expect(DATA.startsWith(text), JSON.stringify(text)).toBe(true)
    }
  })
  it("with an error after much else ends in it, and holds all that came well before it", async () => {
    const lines = Array.from({ length: 3000 }, (_, n) => `${n},${"x".repeat(90)}\r\n`)
    const { text, code } = await read([...lines, BLOCK.slice(0, 9), BLOCK.slice(9)])
    expect(code).toBe(395)
    expect(text.length).toBeGreaterThan(200_000)
    expect(lines.join("").startsWith(text)).toBe(true)
  })
  it("whose error had arrived, unread, when the connection broke ends in that error", async () => {
    const source = new Readable({ read: () => undefined })
    const body = readBody(source, TAG)
    const first = body.next()
    source.push(DATA)
    await new Promise((resolve) => setImmediate(resolve))
    // As much as is held back.
    source.push("x".repeat(64 * 1024))
    expect(String((await first).value)).toBe(DATA)
    source.push(BLOCK)
    source.destroy(Object.assign(new Error("aborted"), { code: "ECONNRESET" }))
    await expect(body.next()).rejects.toMatchObject({ code: 395 })
  })
})
