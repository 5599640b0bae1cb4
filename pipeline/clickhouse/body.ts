import type { Readable } from "node:stream"
import { extractErrorAtTheEndOfChunk } from "@clickhouse/client"
import { type ClickHouseError, toClickHouseError } from "./error.ts"

/** With every answer the server makes up a word, and a body that ends in an error says so with it. */
export const EXCEPTION_TAG = "x-clickhouse-exception-tag"

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
 * the end of the result: both are thrown, as the server's own error where there is one. The last chunks are held back
 * until it is known that they are none, so nothing is copied or looked through on the way.
 */
export async function* readBody(source: Readable, tag: string): AsyncGenerator<Buffer> {
  const mark = Buffer.from(`\r\n__exception__\r\n${tag}\r\n`)
  const held: Array<Buffer> = []
  let size = 0
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      held.push(chunk)
      size += chunk.length
      for (let first = held[0]; first !== undefined && size - first.length >= MAX_BLOCK; first = held[0]) {
        held.shift()
        size -= first.length
        yield first
      }
    }
  } catch (error) {
    throw errorIn(Buffer.concat([...held, leftIn(source)]), mark, tag) ?? toClickHouseError(error)
  }
  const last = Buffer.concat(held)
  const error = errorIn(last, mark, tag)
  if (error !== undefined) throw error
  if (last.length > 0) yield last
}
