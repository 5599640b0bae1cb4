import { createHash } from "node:crypto"
import { type Files, FilesError } from "./files.ts"

/**
 * The whole file, checked against its SHA-256 as it goes by. The last bytes are given only when it is right: whoever
 * has as many bytes as were promised has the file.
 */
async function* checked(bytes: AsyncIterable<Uint8Array>, sha256: string) {
  const hash = createHash("sha256")
  let held: Uint8Array | undefined
  for await (const chunk of bytes) {
    hash.update(chunk)
    if (held !== undefined) yield held
    held = chunk
  }
  if (hash.digest("hex") !== sha256)
    throw new FilesError({
      reason: "missing",
      operation: "read",
      detail: "the file is not as it was written",
    })
  if (held !== undefined) yield held
}

interface Part {
  readonly name: string
  readonly first: number
  readonly length: number
  /** Of the whole file, when the part is that. */
  readonly sha256: string | undefined
}

/**
 * A stream of a part of a file. It is begun before it is given, so that a file that is not there is an answer of its
 * own; what fails later is an error of the stream, which breaks the connection: never a clean end before the last byte.
 */
export const openFile = async (
  files: Files,
  { name, first, length, sha256 }: Part,
  onError: (error: unknown) => void,
): Promise<ReadableStream<Uint8Array>> => {
  const bytes = files.read(name, first, length)
  const iterator = (sha256 === undefined ? bytes : checked(bytes, sha256))[Symbol.asyncIterator]()
  let next: Promise<IteratorResult<Uint8Array, unknown>> | undefined = Promise.resolve(await iterator.next())
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        try {
          const { done, value } = await (next ?? iterator.next())
          next = undefined
          if (done === true) controller.close()
          else controller.enqueue(value as Uint8Array)
        } catch (error) {
          onError(error)
          controller.error(error)
        }
      },
      cancel: async () => {
        await iterator.return?.(undefined)
      },
    },
    // Nothing is read ahead for a caller who is slow.
    { highWaterMark: 0 },
  )
}
