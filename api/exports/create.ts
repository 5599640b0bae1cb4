import { createHash, randomUUID } from "node:crypto"
import type { ClickHouse, ClickHouseError } from "#clickhouse"
import { Effect } from "effect"
import type { Nats, NatsError } from "#nats/connection.ts"
import type { ExportRequest } from "#schemas/export.ts"
import type { ExportJob } from "#schemas/export-job.ts"
import type { TenantCredential } from "../auth/credential.ts"
import { type Refused, refuse } from "../http/failure.ts"
import { openReport } from "../queries/report.ts"
import { ownerOf, refusedReport } from "./access.ts"
import { isFinal } from "./attempt.ts"
import { createJob, findJob, listJobs } from "./jobs.ts"
import { enqueue } from "./queue.ts"

/** Jobs of a tenant that may wait or run at a time. */
const MAX_OPEN = 100

const digest = (...parts: ReadonlyArray<unknown>): string =>
  createHash("sha256").update(JSON.stringify(parts)).digest("hex")

/** The same for bodies that ask for the same: neither the order of fields nor that of a list's values matters. */
const canonical = (value: unknown): unknown => {
  if (Array.isArray(value)) return [...new Set<unknown>(value)].toSorted()
  if (typeof value !== "object" || value === null) return value
  return Object.entries(value)
    .map(([name, inner]) => [name, canonical(inner)] as const)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
}

/** The id of whoever comes with a key is made of the key: so the bucket itself holds one job a key at most. */
const idOf = (tenant: string, key: string): string =>
  digest(tenant, key).replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/u, "$1-$2-8$3-8$4-$5")

const KEY = /^[\u0020-\u007e]{1,255}$/u

const invalidKey = refuse("invalid_parameter", "Idempotency-Key: Expected 1 to 255 printable characters.", {
  errors: [{ parameter: "Idempotency-Key", detail: "Expected 1 to 255 printable characters of ASCII" }],
})

const keyReused = refuse(
  "idempotency_key_reused",
  "An export with this Idempotency-Key was asked for in another way, or by somebody else.",
  { hint: "Use a key of its own for each export, and the same body with it each time." },
)

const tooMany = refuse(
  "too_many_exports",
  `The tenant has ${MAX_OPEN} exports that wait or run; there may not be more.`,
  { hint: "Wait until some have ended, or cancel them with DELETE." },
  { "Retry-After": "30" },
)

export interface Asked {
  readonly credential: TenantCredential
  readonly request: ExportRequest
  readonly key: string | undefined
}

/** Fixes what the file will be made from, and queues the making. With a key that was used before, the job of then. */
export const createExport = Effect.fn("createExport")(function* ({
  credential,
  request,
  key,
}: Asked): Effect.fn.Return<ExportJob, Refused | ClickHouseError | NatsError, ClickHouse | Nats> {
  const { tenant, scope } = credential
  if (key !== undefined && !KEY.test(key)) return yield* invalidKey
  const refused = refusedReport(credential, request)
  if (refused !== undefined) return yield* refused
  const owner = ownerOf(credential)
  const id = key === undefined ? randomUUID() : idOf(tenant, key)
  const fingerprint = digest(owner, scope, canonical(request))

  const known = key === undefined ? undefined : yield* findJob(tenant, id)
  if (known === undefined) {
    const open = (yield* listJobs(tenant)).filter(({ record }) => !isFinal(record))
    if (open.length >= MAX_OPEN) return yield* tooMany
  }
  const report = yield* openReport({ credential, parameters: request })
  const pin = yield* report.pin
  const wanted: ExportJob = {
    id,
    owner,
    request,
    fingerprint,
    snapshot: {
      tenant,
      from: request.from,
      to: request.to,
      zone: report.range.zone,
      now: report.range.now,
      pin,
      scope,
      hide_names: report.settings.hide_names,
    },
    state: "queued",
    attempt: 0,
    created_at: report.range.now,
    rows: 0,
    bytes: 0,
  }
  const created = known ?? (yield* createJob(wanted)) ?? (yield* findJob(tenant, id))
  // Undefined: there is one of this id, which cannot be read.
  if (created?.record.fingerprint !== fingerprint) return yield* keyReused
  const { record } = created
  // Once more for a key that came again: the first time may have ended between the two. The queue drops the repeat.
  if (record.state === "queued") yield* enqueue(tenant, id)
  return record
})
