import { Schema } from "effect"

/** Why a message could not be stored, in the order in which the reasons are tried. */
export const REFUSAL_REASONS = [
  "too_large",
  "invalid_json",
  "missing_message_id",
  "tenant_mismatch",
  "subject_mismatch",
  "unknown_type",
  "invalid_event",
  "missing_reference",
  "time_in_future",
  "too_old",
  "id_conflict",
  "rejected_by_store",
] as const

export const RefusalReason = Schema.Literals(REFUSAL_REASONS)
export type RefusalReason = typeof RefusalReason.Type

export interface Refusal {
  readonly reason: RefusalReason
  /** One readable sentence for the producer. It may quote field names, never the event's values. */
  readonly detail: string
}
