import { ClickHouseError, type ClickHouseReason } from "#clickhouse"
import type { ExportFailure, ExportJob } from "#schemas/export-job.ts"
import { FilesError } from "./files.ts"

/** Attempts after which a job is given up, those of workers that died included. */
export const MAX_ATTEMPTS = 4
/** Before the second attempt; twice as long before each next one. Milliseconds. */
const BACKOFF = 1000
/** Between two attempts at a store that is away, at most. Milliseconds. */
const MAX_DELAY = 30_000

/** The name of an attempt's file. Each attempt has its own: whoever lost the job cannot write into another's file. */
export const fileOf = ({ snapshot, id, attempt }: ExportJob): string => `${snapshot.tenant}.${id}.${attempt}`

export interface FileName {
  readonly tenant: string
  readonly id: string
  readonly attempt: number
}

/** Undefined for a file that is none of ours. */
export const parseFileName = (name: string): FileName | undefined => {
  const match = /^([a-z0-9-]{1,63})\.([0-9a-f-]{36})\.(\d+)$/u.exec(name)
  return match === null
    ? undefined
    : { tenant: match[1] ?? "", id: match[2] ?? "", attempt: Number(match[3]) }
}

export const isFinal = ({ state }: ExportJob): boolean => state !== "queued" && state !== "running"

/**
 * What to do with a message of the queue. The same message again means that whoever had it gave no sign of life for the
 * length of a lease; another message of a job that runs is a repeat, as the job's own one is still in the queue.
 */
export const decide = (record: ExportJob | undefined, sequence: number): "drop" | "take" => {
  if (record === undefined || isFinal(record)) return "drop"
  return record.state === "running" && record.message !== sequence ? "drop" : "take"
}

/**
 * - `never`: another attempt would end the same way.
 * - `counted`: it might end better, as often as `MAX_ATTEMPTS` says.
 * - `awhile`: a store is away. That is no fault of the job, and ends when it ends.
 */
export type Again = "never" | "counted" | "awhile"

export interface Verdict {
  readonly failure: ExportFailure
  readonly again: Again
}

const TOO_MUCH: ReadonlySet<ClickHouseReason> = new Set(["time_limit", "row_limit", "memory_limit"])

/** What the store says to whatever is asked. Other errors may be the job's own, and hold up its tenant's others. */
const AWAY: ReadonlySet<ClickHouseReason> = new Set([
  "unavailable",
  "overloaded",
  "denied",
  "schema",
  "read_only",
])

/** Why an attempt failed, from what was thrown. */
export const verdictOf = (error: unknown): Verdict => {
  if (error instanceof ClickHouseError)
    return TOO_MUCH.has(error.reason)
      ? { failure: "too_much_data", again: "never" }
      : { failure: "store_unavailable", again: AWAY.has(error.reason) ? "awhile" : "counted" }
  if (error instanceof FilesError) return { failure: "files_unavailable", again: "awhile" }
  return { failure: "internal", again: "counted" }
}

export interface NextAttempt {
  /** Milliseconds. */
  readonly delay: number
  /** What the record says until then. */
  readonly record: Pick<ExportJob, "attempt" | "away_since">
}

/** When to try again after an attempt that failed; undefined when the job is given up. */
export const nextAttempt = (
  again: Again,
  { attempt, away_since }: ExportJob,
  now: number,
  patience: number,
): NextAttempt | undefined => {
  if (again === "counted" && attempt < MAX_ATTEMPTS)
    return { delay: BACKOFF * 2 ** (attempt - 1), record: { attempt } }
  const since = away_since ?? now
  const lasted = now - since
  if (again !== "awhile" || lasted >= patience) return undefined
  // As long again as the store has been away: twice as long each time.
  const delay = Math.min(Math.max(lasted, BACKOFF), MAX_DELAY)
  return { delay, record: { attempt: attempt - 1, away_since: since } }
}
