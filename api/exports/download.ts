import { Effect } from "effect"
import type { ExportJob } from "#schemas/export-job.ts"
import type { ExportRequest } from "#schemas/export.ts"
import type { TenantCredential } from "../auth/credential.ts"
import type { Answer } from "../http/answer.ts"
import { tagsIn } from "../http/entity-tag.ts"
import { type Refused, refuse } from "../http/failure.ts"
import { refusedReport } from "./access.ts"
import { byteRangeOf } from "./byte-range.ts"
import { openFile } from "./file-stream.ts"
import { type Files, FilesError } from "./files.ts"
import { fileNameOf, stateAt } from "./view.ts"

const MEDIA_TYPES: Readonly<Record<ExportRequest["format"], string>> = {
  csv: "text/csv; charset=utf-8; header=present",
  ndjson: "application/x-ndjson",
  parquet: "application/vnd.apache.parquet",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

const GZIP = "application/gzip"

/** What a file can be, for the specification. */
export const FILE_TYPES: ReadonlyArray<string> = [...Object.values(MEDIA_TYPES), GZIP].map(
  (type) => type.split(";", 1)[0] ?? type,
)

/** What every answer with a file or a part of it carries. */
export const FILE_HEADERS = {
  ETag: "The file's SHA-256, in hexadecimal digits.",
  "Content-Length": "Bytes of the body.",
  "Content-Disposition": "A name for the file.",
  "Accept-Ranges": "`bytes`",
  "Repr-Digest": "The whole file's SHA-256, in base64.",
}

const notReady = refuse(
  "export_not_ready",
  "The file is not made yet.",
  { hint: "Ask for the export until its state is completed." },
  { "Retry-After": "2" },
)

const gone = (state: ExportJob["state"]): Refused =>
  refuse("export_gone", `The export is ${state}; there is no file.`, { hint: "Ask for a new export." })

/** Why there is nothing to download, or not for this credential at this moment. */
const refusedDownload = (job: ExportJob, credential: TenantCredential, now: number): Refused | undefined => {
  const refused = refusedReport(credential, job.request)
  if (refused !== undefined) return refused
  const state = stateAt(job, now)
  if (state === "queued" || state === "running") return notReady
  if (state !== "completed" || job.file === undefined) return gone(state)
  if (credential.settings.hide_names && !job.snapshot.hide_names)
    return refuse(
      "names_hidden",
      "The tenant hides names since the file was made, and the file holds them.",
      {
        hint: "Ask for a new export.",
      },
    )
  return undefined
}

const headersOf = (job: ExportJob, tag: string) => ({
  "Content-Type": job.request.gzip === true ? GZIP : MEDIA_TYPES[job.request.format],
  "Content-Disposition": `attachment; filename="${fileNameOf(job)}"`,
  ETag: tag,
  "Accept-Ranges": "bytes",
  "Repr-Digest": `sha-256=:${Buffer.from(job.sha256 ?? "", "hex").toString("base64")}:`,
  "X-Content-Type-Options": "nosniff",
  // A proxy that compressed it would break its length, ranges and digest.
  "Cache-Control": "private, no-store, no-transform",
})

/** The file store's errors before the first byte, as a client may know them. */
const refusedFile = (error: unknown): Refused =>
  error instanceof FilesError && error.reason === "missing"
    ? gone("expired")
    : refuse(
        "unavailable",
        "The store of the files does not answer at the moment.",
        {},
        { "Retry-After": "2" },
      )

/** The file or a part of it, when the credential may still have it. */
export const download = Effect.fn("downloadExport")(function* (
  files: Files,
  job: ExportJob,
  credential: TenantCredential,
  { method, headers }: Request,
  now: number,
): Effect.fn.Return<Answer, Refused> {
  const refused = refusedDownload(job, credential, now)
  if (refused !== undefined) return yield* refused
  const { bytes: size, sha256 = "", file = "" } = job
  const tag = `"${sha256}"`
  const common = headersOf(job, tag)
  const known = new Set(tagsIn(headers.get("If-None-Match") ?? ""))
  if (known.has(tag) || known.has("*")) return { status: 304, body: null, headers: common }

  const ifRange = headers.get("If-Range")
  // Ranges are of GET alone (RFC 9110, 14.2).
  const mayBeRange = method === "GET" && (ifRange === null || ifRange.trim() === tag)
  const wanted = mayBeRange ? headers.get("Range") : null
  const range = byteRangeOf(wanted ?? undefined, size)
  if (range === "unsatisfiable")
    return yield* refuse(
      "range_not_satisfiable",
      `The file has ${size} bytes.`,
      {},
      { "Content-Range": `bytes */${size}` },
    )
  const first = range?.first ?? 0
  const length = range === undefined ? size : range.last - range.first + 1
  const answer = {
    status: range === undefined ? 200 : 206,
    headers: {
      ...common,
      "Content-Length": String(length),
      ...(range === undefined ? {} : { "Content-Range": `bytes ${first}-${range.last}/${size}` }),
    },
  }
  if (method === "HEAD") return { ...answer, body: null }
  const services = yield* Effect.context<never>()
  const onError = (error: unknown) =>
    Effect.runForkWith(services)(
      Effect.logError("a download broke", error).pipe(Effect.annotateLogs({ id: job.id })),
    )
  const body = yield* Effect.tryPromise({
    try: () =>
      openFile(files, { name: file, first, length, sha256: length === size ? sha256 : undefined }, onError),
    catch: refusedFile,
  })
  return { ...answer, body }
})
