import type { Readable } from "node:stream"
import { extractErrorAtTheEndOfChunk } from "@clickhouse/client"
import { type ClickHouseError, toClickHouseError } from "./error.ts"

/** With every answer the server makes up a word, and a body that ends in an error says so with it. */
export const EXCEPTION_TAG = "x-clickhouse-exception-tag"

const NOTHING = Buffer.alloc(0)

/** What had arrived and was not read yet when the connection broke; iterating passes over it. */
const leftIn = (source: Readable): Buffer => {
  const chunks: Array<Buffer> = []
  for (let chunk: unknown = source.read(); chunk !== null; chunk = source.read()) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** The server's own error, where the mark is in the last bytes of a body. */
const errorIn = (bytes: Buffer, mark: Buffer, tag: string): ClickHouseError | undefined => {
  const at = tag === "" ? -1 : bytes.indexOf(mark)
  return at < 0 ? undefined : toClickHouseError(extractErrorAtTheEndOfChunk(bytes.subarray(at), tag))
}

/** An error's text is at most so long; see MAX_EXCEPTION_SIZE in WriteBufferFromHTTPServerResponse.h of ClickHouse. */
const MAX_BLOCK = 64 * 1024

/**
 * The bytes of a result while the server still makes them. Its status was 200 long ago, so an error in the middle is
 * a block at the end, `\r\n__exception__\r\n<tag>\r\n…`, after which the connection breaks. Neither is ever taken for
 * the end of the result: both are thrown, as the server's own error where there is one.
 */
export async function* readBody(source: Readable, tag: string): AsyncGenerator<Buffer> {
  const mark = Buffer.from(`\r\n__exception__\r\n${tag}\r\n`)
  // What may be the beginning of a mark that the next chunk ends, or a mark and what follows it.
  let held: Buffer = NOTHING
  let isMarked = false
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk])
      isMarked ||= tag !== "" && bytes.includes(mark)
      const sure = isMarked ? 0 : Math.max(0, bytes.length - mark.length + 1)
      held = Buffer.from(bytes.subarray(sure))
      if (sure > 0) yield bytes.subarray(0, sure)
      if (isMarked && held.length > MAX_BLOCK + chunk.length) break
    }
  } catch (error) {
    throw errorIn(Buffer.concat([held, leftIn(source)]), mark, tag) ?? toClickHouseError(error)
  }
  const error = errorIn(held, mark, tag)
  if (error !== undefined) throw error
  if (held.length > 0) yield held
}
