import { Schema } from "effect"

/** The store of the files did not do what was asked; `detail` is its own word and never a row's. */
export class FilesError extends Schema.TaggedError<FilesError>()("FilesError", {
  reason: Schema.Literals(["missing", "unavailable"]),
  operation: Schema.String,
  detail: Schema.String,
}) {
  override get message(): string {
    return `export files: ${this.operation} failed (${this.detail})`
  }
}

/** Where the files are kept. Promises reject with `FilesError`. */
export interface Files {
  /** Stores a file whole or not at all; takes the next bytes only when those before are stored. */
  readonly put: (name: string, bytes: AsyncIterable<Uint8Array>, signal: AbortSignal) => Promise<void>
  /** So many bytes from a place on; asks for more only when those before were taken. Throws when the file ends early. */
  readonly read: (name: string, start: number, length: number) => AsyncIterable<Uint8Array>
  /** One that is not there is removed already. */
  readonly remove: (name: string) => Promise<void>
  /** Names of whole files. */
  readonly list: () => AsyncIterable<string>
  /** Frees what writers that died have left unfinished. */
  readonly sweep: () => Promise<void>
}

/** Blocks of one size, whatever the sizes that come: a compressor sees the same on every run, a store few small writes. */
export async function* blocksOf(
  bytes: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let block = Buffer.allocUnsafe(size)
  let filled = 0
  for await (const chunk of bytes)
    for (let at = 0; at < chunk.length;) {
      const take = Math.min(size - filled, chunk.length - at)
      block.set(chunk.subarray(at, at + take), filled)
      filled += take
      at += take
      if (filled < size) continue
      yield block
      block = Buffer.allocUnsafe(size)
      filled = 0
    }
  if (filled > 0) yield block.subarray(0, filled)
}
