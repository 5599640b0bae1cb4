import { Clock, Effect, Schema } from "effect"
import { Export } from "#schemas/export-job.ts"
import { ExportRequest } from "#schemas/export.ts"
import { maySee } from "../exports/access.ts"
import { createExport } from "../exports/create.ts"
import { download as downloadFile, FILE_HEADERS, FILE_TYPES } from "../exports/download.ts"
import type { Files } from "../exports/files.ts"
import { findJob, listJobs } from "../exports/jobs.ts"
import { expireOrCancel } from "../exports/remove.ts"
import { viewOf } from "../exports/view.ts"
import { ok } from "../http/answer.ts"
import { type Call, ofTenant, type Route, route } from "../http/endpoint.ts"
import { refuse } from "../http/failure.ts"
import { cursors } from "../queries/cursor.ts"
import { Cursor, wholeNumber } from "#schemas/report-range.ts"

const PATH = "/v1/exports"
const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/u

const One = Schema.Struct({ id: Schema.String.annotate({ description: "The id of an export." }) })
const Answer = Schema.Struct({ data: Export })

/** What an answer without the file still says of it. */
const { "Content-Length": _, ...ABOUT_FILE } = FILE_HEADERS

const unknown = refuse("not_found", "There is no such export.", { hint: `GET ${PATH} lists them.` })

/** A job that the credential sees. One of another tenant, or of somebody else, is not there. */
const visibleJob = Effect.fn("visibleExport")(function* ({
  credential,
  parameters,
}: Pick<Call<typeof One.Type>, "credential" | "parameters">) {
  const asker = yield* ofTenant(credential)
  const job = ID.test(parameters.id) ? yield* findJob(asker.tenant, parameters.id) : undefined
  if (job === undefined || !maySee(asker, job.record)) return yield* unknown
  return { asker, job }
})

const create = route(
  {
    method: "POST",
    path: PATH,
    summary: "Ask for a report as a file",
    description:
      "The file is a snapshot of this moment: what is received later is not in it. It is made by a worker; ask for the export until its state is completed. With the header Idempotency-Key, asking again gives the same export for as long as it is known.",
    right: "export",
    audit: "export.created",
    parameters: Schema.Struct({}),
    headers: { "Idempotency-Key": "1 to 255 printable characters, one for each export that is wanted." },
    json: ExportRequest,
    example: { report: "user_insights", from: "2026-10-01", to: "2026-10-31", format: "csv" },
    answers: {
      202: {
        description: "The export, queued.",
        content: Answer,
        headers: { Location: "The address of the export." },
      },
    },
    problems: ["invalid_parameter", "names_hidden", "idempotency_key_reused", "too_many_exports"],
  },
  Effect.fn("createExportRoute")(function* ({ body, credential, request }: Call<object, ExportRequest>) {
    const job = yield* createExport({
      credential: yield* ofTenant(credential),
      request: body,
      key: request.headers.get("Idempotency-Key") ?? undefined,
    })
    return {
      status: 202,
      body: { data: viewOf(job, yield* Clock.currentTimeMillis, credential.settings) },
      headers: { Location: `${PATH}/${job.id}` },
      record: { subject: job.id },
    }
  }),
)

const ListParameters = Schema.Struct({
  limit: Schema.optionalKey(wholeNumber(1, 500).annotate({ description: "50 when absent." })),
  cursor: Schema.optionalKey(Cursor),
})
const places = cursors(Schema.Struct({ created_at: Schema.Int, id: Schema.String }))

const list = route(
  {
    method: "GET",
    path: PATH,
    summary: "Exports that are known, newest first",
    description: "One's own; a super admin sees those of everybody.",
    right: "export",
    parameters: ListParameters,
    answers: {
      200: {
        description: "A page of exports.",
        content: Schema.Struct({ data: Schema.Array(Export), next_cursor: Schema.NullOr(Schema.String) }),
      },
    },
    problems: ["invalid_cursor"],
  },
  Effect.fn("listExports")(function* ({ parameters, credential }: Call<typeof ListParameters.Type>) {
    const asker = yield* ofTenant(credential)
    const { limit = 50 } = parameters
    const place = yield* places.read(asker.tenant, parameters)
    const records = (yield* listJobs(asker.tenant)).map(({ record }) => record)
    const after = records
      .filter((record) => maySee(asker, record))
      .toSorted((one, other) => other.created_at - one.created_at || (one.id < other.id ? 1 : -1))
      .filter(
        ({ created_at, id }) =>
          place === undefined ||
          created_at < place.created_at ||
          (created_at === place.created_at && id < place.id),
      )
    const page = after.slice(0, limit)
    const last = page.at(-1)
    const now = yield* Clock.currentTimeMillis
    return ok({
      data: page.map((record) => viewOf(record, now, asker.settings)),
      next_cursor:
        after.length > limit && last !== undefined
          ? places.write(asker.tenant, parameters, { created_at: last.created_at, id: last.id })
          : null,
    })
  }),
)

const one = route(
  {
    method: "GET",
    path: `${PATH}/:id`,
    summary: "An export: its state, progress and manifest",
    right: "export",
    parameters: One,
    answers: { 200: { description: "The export.", content: Answer } },
    problems: ["not_found"],
  },
  Effect.fn("getExport")(function* (call: Call<typeof One.Type>) {
    const { asker, job } = yield* visibleJob(call)
    return ok({ data: viewOf(job.record, yield* Clock.currentTimeMillis, asker.settings) })
  }),
)

const download = (files: Files) =>
  route(
    {
      method: "GET",
      path: `${PATH}/:id/download`,
      summary: "The file of a completed export",
      description:
        "The right is looked at again. Content-Length is always there, and a file that breaks in the middle breaks the connection. ETag is the file's SHA-256.",
      right: "export",
      audit: "export.downloaded",
      parameters: One,
      headers: { Range: "One range of bytes.", "If-Range": "An ETag.", "If-None-Match": "ETags." },
      answers: {
        200: { description: "The file.", content: FILE_TYPES, headers: FILE_HEADERS },
        206: {
          description: "A part of the file.",
          content: FILE_TYPES,
          headers: { ...FILE_HEADERS, "Content-Range": "Which part." },
        },
        304: {
          description: "The file is the one with the given ETag.",
          content: "none",
          headers: ABOUT_FILE,
        },
      },
      problems: ["not_found", "names_hidden", "export_not_ready", "export_gone", "range_not_satisfiable"],
    },
    Effect.fn("downloadExportRoute")(function* (call: Call<typeof One.Type>) {
      const { asker, job } = yield* visibleJob(call)
      return yield* downloadFile(files, job.record, asker, call.request, yield* Clock.currentTimeMillis)
    }),
  )

const remove = (files: Files) =>
  route(
    {
      method: "DELETE",
      path: `${PATH}/:id`,
      summary: "Cancel an export, or remove its file",
      description:
        "What waits or runs is canceled; the file of a completed one is removed, and the export is expired. One that has ended otherwise stays as it is.",
      right: "export",
      audit: "export.canceled",
      parameters: One,
      answers: { 200: { description: "The export as it is now.", content: Answer } },
      problems: ["not_found"],
    },
    Effect.fn("deleteExport")(function* (call: Call<typeof One.Type>) {
      const { asker, job } = yield* visibleJob(call)
      const record = yield* expireOrCancel(job, files)
      return ok({ data: viewOf(record, yield* Clock.currentTimeMillis, asker.settings) })
    }),
  )

export const exportRoutes = (files: Files): ReadonlyArray<Route> => [
  create,
  list,
  one,
  download(files),
  remove(files),
]
