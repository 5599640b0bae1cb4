import { ClickHouseError } from "#clickhouse"
import type { ExportFailure, ExportJob } from "#schemas/export-job.ts"
import { FilesError } from "./files.ts"

/** Attempts after which a job is given up, those of workers that died included. */
export const MAX_ATTEMPTS = 4

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

export interface Verdict {
  readonly failure: ExportFailure
  /** Whether another attempt could end better. */
  readonly again: boolean
}

const TOO_MUCH: ReadonlySet<string> = new Set(["time_limit", "row_limit", "memory_limit"])

/** Why an attempt failed, from what was thrown. */
export const verdictOf = (error: unknown): Verdict => {
  if (error instanceof ClickHouseError)
    return TOO_MUCH.has(error.reason)
      ? { failure: "too_much_data", again: false }
      : { failure: "store_unavailable", again: true }
  if (error instanceof FilesError) return { failure: "files_unavailable", again: true }
  return { failure: "internal", again: true }
}
