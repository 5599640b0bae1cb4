import { Readable } from "node:stream"
import {
  DeleteObjectCommand,
  GetObjectCommand,
  paginateListObjectsV2,
  S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3"
import { Upload } from "@aws-sdk/lib-storage"
import { type Files, FilesError } from "./files.ts"

export interface S3 {
  /** Undefined: Amazon's own. */
  readonly endpoint: string | undefined
  readonly bucket: string
  readonly region: string
  /** Undefined: what the environment or the machine's role gives. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined
}

/** Two of these wait at a time: the memory of a file's writer, whatever the size of the file. */
const PART = 8 * 1024 * 1024

const NOT_FOUND = 404

const failed =
  (operation: string) =>
  (cause: unknown): never => {
    if (cause instanceof FilesError) throw cause
    const isMissing = cause instanceof S3ServiceException && cause.$metadata.httpStatusCode === NOT_FOUND
    throw new FilesError({
      reason: isMissing ? "missing" : "unavailable",
      operation,
      detail: cause instanceof Error ? cause.name : String(cause),
    })
  }

/** Files in a bucket of any store that speaks S3; the bucket is there already. */
export const s3Files = ({ endpoint, bucket, region, credentials }: S3): Files => {
  const client = new S3Client({
    region,
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    ...(credentials === undefined ? {} : { credentials }),
    // Stores other than Amazon's do not know its newer checksums; ours is in the job.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  })

  const put: Files["put"] = async (name, bytes, signal) => {
    const source = Readable.from(bytes, { objectMode: false })
    const upload = new Upload({
      client,
      params: { Bucket: bucket, Key: name, Body: source },
      partSize: PART,
      queueSize: 2,
      // Parts of a failed upload are given up, or they would be paid for unseen.
      leavePartsOnError: false,
    })
    const abort = () => {
      source.destroy(new Error("interrupted"))
      void upload.abort()
    }
    signal.addEventListener("abort", abort, { once: true })
    try {
      signal.throwIfAborted()
      await upload.done()
    } finally {
      signal.removeEventListener("abort", abort)
      source.destroy()
    }
  }

  async function* read(name: string, start: number, length: number) {
    if (length === 0) return
    const { Body } = await client.send(
      new GetObjectCommand({ Bucket: bucket, Key: name, Range: `bytes=${start}-${start + length - 1}` }),
    )
    if (!(Body instanceof Readable))
      throw new FilesError({ reason: "missing", operation: "read", detail: "an answer without a body" })
    let got = 0
    for await (const chunk of Body as AsyncIterable<Uint8Array>) {
      got += chunk.length
      yield chunk
    }
    if (got !== length)
      throw new FilesError({ reason: "missing", operation: "read", detail: "the file ended early" })
  }

  async function* list() {
    for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket }))
      for (const { Key } of page.Contents ?? []) if (Key !== undefined) yield Key
  }

  async function* guarded<A>(items: AsyncIterable<A>): AsyncGenerator<A, void, undefined> {
    try {
      yield* items
    } catch (error) {
      failed("read")(error)
    }
  }

  return {
    put: (name, bytes, signal) => put(name, bytes, signal).catch(failed("write")),
    read: (name, start, length) => guarded(read(name, start, length)),
    remove: (name) =>
      client
        .send(new DeleteObjectCommand({ Bucket: bucket, Key: name }))
        .then(() => undefined)
        .catch(failed("remove")),
    list: () => guarded(list()),
    // A rule of the bucket gives up unfinished uploads; README names it.
    sweep: () => Promise.resolve(),
  }
}
