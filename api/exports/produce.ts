import { createHash } from "node:crypto"
import { pipeline, Readable } from "node:stream"
import { createGzip } from "node:zlib"
import { blocksOf, type Files } from "./files.ts"
import type { Rendering } from "./render.ts"

/** What is known of a file while it is made. */
export interface Progress {
  rows: number
  /** Stored or on their way into the store. */
  bytes: number
  expectedRows: number | undefined
}

export const noProgress = (): Progress => ({ rows: 0, bytes: 0, expectedRows: undefined })

/** What a compressor is given at a time: of one size, so that a second run of a snapshot gives the same bytes. */
const BLOCK = 256 * 1024

async function* compressed(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const gzip = createGzip()
  // An error on either side destroys both; reading on throws it.
  pipeline(Readable.from(blocksOf(bytes, BLOCK), { objectMode: false }), gzip, () => undefined)
  yield* gzip as AsyncIterable<Uint8Array>
}

export type Render = (rendering: Rendering) => AsyncIterable<Uint8Array>

export interface Production extends Pick<Rendering, "store" | "request" | "snapshot" | "signal"> {
  readonly render: Render
  readonly files: Files
  readonly name: string
  readonly progress: Progress
}

/**
 * Renders a file into its store and gives its SHA-256. Every step pulls from the one before it, so the slowest sets the
 * pace and the memory stays the same. What goes wrong with the rows is thrown as it was, not as the store saw it.
 */
export const produce = async ({
  render,
  files,
  name,
  progress,
  ...rendering
}: Production): Promise<string> => {
  const hash = createHash("sha256")
  let broken: { readonly error: unknown } | undefined
  async function* bytes() {
    const rendered = render({
      ...rendering,
      onExpected: (rows) => (progress.expectedRows = rows),
      onRows: (rows) => (progress.rows += rows),
    })
    try {
      for await (const chunk of rendering.request.gzip === true ? compressed(rendered) : rendered) {
        hash.update(chunk)
        progress.bytes += chunk.length
        yield chunk
      }
    } catch (error) {
      broken = { error }
      throw error
    }
  }
  try {
    await files.put(name, bytes(), rendering.signal)
  } catch (error) {
    throw broken === undefined ? error : broken.error
  }
  return hash.digest("hex")
}
