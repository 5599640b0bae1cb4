import { extractErrorAtTheEndOfChunk } from "@clickhouse/client"
import { toClickHouseError } from "./error.ts"

/** With every answer the server makes up a word, and a body that ends in an error says so with it. */
export const EXCEPTION_TAG = "x-clickhouse-exception-tag"

const errorIn = (block: Buffer, tag: string) => toClickHouseError(extractErrorAtTheEndOfChunk(block, tag))

/** An error's text is at most so long; see MAX_EXCEPTION_SIZE in WriteBufferFromHTTPServerResponse.h of ClickHouse. */
const MAX_BLOCK = 64 * 1024

/** Reads what the server says after the mark, until it closes the connection without having ended the body. */
const readBlock = async (start: Buffer, rest: AsyncIterator<Buffer>): Promise<Buffer> => {
  const parts = [start]
  try {
    for (let size = start.length; size < MAX_BLOCK;) {
      const next = await rest.next()
      if (next.done === true) break
      parts.push(next.value)
      size += next.value.length
    }
  } catch {
    // The mark has said already that this is the end.
  }
  return Buffer.concat(parts)
}

/**
 * The bytes of a result while the server still makes them. Its status was 200 long ago, so an error in the middle is
 * a block at the end, `\r\n__exception__\r\n<tag>\r\n…`, after which the connection breaks. Neither is ever taken for
 * the end of the result: both are thrown, as the server's own error where there is one.
 */
export async function* readBody(source: AsyncIterable<Buffer>, tag: string): AsyncGenerator<Buffer> {
  const mark = Buffer.from(`\r\n__exception__\r\n${tag}\r\n`)
  // What may be the beginning of a mark that the next chunk ends.
  let held: Buffer = Buffer.alloc(0)
  const chunks = source[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await chunks.next().catch((error: unknown) => {
        throw toClickHouseError(error)
      })
      if (next.done === true) break
      const bytes = held.length === 0 ? next.value : Buffer.concat([held, next.value])
      const at = tag === "" ? -1 : bytes.indexOf(mark)
      if (at >= 0) throw errorIn(await readBlock(bytes.subarray(at), chunks), tag)
      const sure = Math.max(0, bytes.length - mark.length + 1)
      held = Buffer.from(bytes.subarray(sure))
      if (sure > 0) yield bytes.subarray(0, sure)
    }
    if (held.length > 0) yield held
  } finally {
    await chunks.return?.()
  }
}
