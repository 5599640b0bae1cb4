/** What an audit finds wrong; the closed list. */
export type DifferenceKind =
  /** A valid message of the stream has no row, and none of its identity stands elsewhere. */
  | "missing_row"
  /** A row's content is not its message's. */
  | "changed_row"
  /** An identity stands in raw more than once. */
  | "doubled_row"
  /** A message has both a row and a dead letter. */
  | "surplus_row"
  /** A refused message has no dead letter. */
  | "missing_dead_letter"
  /** A rollup's key is not what raw sums up to. */
  | "rollup_key"

export interface Difference {
  readonly kind: DifferenceKind
  readonly tenant: string
  /** Of the message; 0 for a rollup's key. */
  readonly seq: number
  /** What differs, and by how much, in words. Ids, never names. */
  readonly detail: string
}

/** So many are kept to be shown; all are counted. */
export const SHOWN = 100
