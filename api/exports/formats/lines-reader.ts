const LINE_FEED = 10

/** Takes lines from a stream of bytes, so many at a time; what is left over is for the next taker. */
export class LinesReader {
  readonly #chunks: AsyncIterator<Uint8Array>
  #rest: Uint8Array = Buffer.alloc(0)

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  /** Whether nothing is left. */
  async isAtEnd(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const next = await this.#chunks.next()
      if (next.done === true) return true
      this.#rest = next.value
    }
    return false
  }

  /** Whole lines until there are `maxLines` of them or, at the end of a line, at least `maxBytes` bytes. */
  async *take(maxLines: number, maxBytes: number): AsyncGenerator<Uint8Array> {
    let lines = 0
    let bytes = 0
    while (!(await this.isAtEnd())) {
      const chunk = this.#rest
      let end = 0
      let isFull = false
      for (let at = chunk.indexOf(LINE_FEED); at >= 0 && !isFull; at = chunk.indexOf(LINE_FEED, end)) {
        end = at + 1
        isFull = ++lines >= maxLines || bytes + end >= maxBytes
      }
      // A line that goes on in the next chunk belongs here with its beginning.
      const taken = isFull ? end : chunk.length
      this.#rest = chunk.subarray(taken)
      bytes += taken
      yield chunk.subarray(0, taken)
      if (isFull) return
    }
  }

  async close(): Promise<void> {
    await this.#chunks.return?.()
  }
}
