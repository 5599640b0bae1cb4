import { Readable } from "node:stream"
import type { ReadableStream } from "node:stream/web"
import { createGunzip } from "node:zlib"
import { Effect } from "effect"
import { Refused, refuse } from "./failure.ts"

const tooLarge = (limit: number, advice: string) =>
  refuse("body_too_large", `The body has more than ${limit} bytes.`, {
    hint: `At most ${limit} bytes are taken, counted after decompression. ${advice}`.trim(),
  })

/** Counts while it reads, so that neither a long body nor a small one that inflates is ever held whole. */
const collect = async (source: AsyncIterable<Buffer>, limit: number, advice: string): Promise<Buffer> => {
  const chunks: Array<Buffer> = []
  let size = 0
  for await (const chunk of source) {
    size += chunk.byteLength
    if (size > limit) throw tooLarge(limit, advice)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}

const inflated = (source: Readable): Readable => {
  const gunzip = createGunzip()
  source.once("error", (error) => gunzip.destroy(error))
  // Whoever stops reading the inflated bytes stops the reading of the others.
  gunzip.once("close", () => source.destroy())
  return source.pipe(gunzip)
}

/** The bytes of a request's body, inflated when it says that it is compressed; advice for whoever sends too much. */
export const readBody = Effect.fn("readBody")(function* (
  request: Request,
  limit: number,
  advice = "",
): Effect.fn.Return<Buffer, Refused> {
  const encoding = (request.headers.get("Content-Encoding") ?? "identity").trim().toLowerCase()
  if (encoding !== "identity" && encoding !== "gzip")
    return yield* refuse(
      "unsupported_media_type",
      "The Content-Encoding is not supported.",
      { hint: "Use gzip or none." },
      { "Accept-Encoding": "gzip" },
    )
  if (Number(request.headers.get("Content-Length") ?? 0) > limit) return yield* tooLarge(limit, advice)
  const { body } = request
  if (body === null) return Buffer.alloc(0)
  const reading = Effect.tryPromise({
    try: (signal) => {
      const source = Readable.fromWeb(body as ReadableStream, { signal })
      return collect(encoding === "gzip" ? inflated(source) : source, limit, advice)
    },
    catch: (cause) =>
      cause instanceof Refused
        ? cause
        : refuse(
            "malformed_body",
            encoding === "gzip" ? "The body is not whole gzip data." : "The body ended before its end.",
          ),
  })
  // Whatever must not be interrupted afterwards, a sender who stalls can be given up.
  return yield* Effect.interruptible(reading)
})
