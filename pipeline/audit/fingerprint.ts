import { hash } from "node:crypto"
import { stringsOf } from "../writer/action-columns.ts"
import type { ActionRow } from "../writer/action-row.ts"

/**
 * A fingerprint of a row is the MD5 of everything that came from its message, its sequence included, and that of many
 * rows the sums of its two halves' first 32 bits: whatever their order, and no two errors cancel out but by a chance of
 * one in 2^64. MD5, as it is the fastest hash that Node and ClickHouse both have; nobody is to be kept out by it.
 */
export interface Fingerprint {
  readonly rows: number
  readonly low: number
  readonly high: number
}

/** The columns in the order in which both sides join them. */
const TEXTS = [
  "tenant",
  "id",
  "type",
  "source",
  "actor_id",
  "actor_type",
  "impersonator_id",
  "client_id",
  "candidate_id",
  "contact_id",
  "job_id",
  "page",
  "channel",
  "session_id",
  "correlation_id",
  "properties",
] as const

/** A text that holds it itself could at worst hide that it was split otherwise between two columns. */
const SEPARATOR = "\u0001"

/** The MD5 of a stored row, in SQL over `actions AS a`. */
export const ROW_HASH = `MD5(concatWithSeparator('\\x01', ${[
  "toString(a.stream_seq)",
  ...TEXTS.map((column) => `toString(a.${column})`),
  "toString(toUnixTimestamp64Milli(a.time))",
  "toString(toUnixTimestamp64Milli(a.received_at))",
  "toString(a.automated)",
  "toString(a.quantity)",
].join(", ")}))`

export const LOW_OF = (md5: string): string => `reinterpretAsUInt32(substring(${md5}, 1, 4))`
export const HIGH_OF = (md5: string): string => `reinterpretAsUInt32(substring(${md5}, 9, 4))`

/** The two halves of the row that a message makes. */
export const halvesOf = (row: ActionRow, stream: string): { readonly low: number; readonly high: number } => {
  const texts = stringsOf(row, stream)
  const { data } = row.event
  let text = String(row.seq)
  for (const column of TEXTS) text += SEPARATOR + texts[column]
  text += `${SEPARATOR}${row.time}${SEPARATOR}${row.receivedAt}${SEPARATOR}${data.automated === true}${SEPARATOR}${data.quantity ?? 1}`
  const md5 = hash("md5", text, "buffer")
  return { low: md5.readUInt32LE(0), high: md5.readUInt32LE(8) }
}
