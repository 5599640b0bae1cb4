import type { Range } from "./read-range.ts"

/** Sequences that the stream does not hold any more: from the first to the last of them. */
export interface Gone extends Range {
  /** How many of them were not known to be stored. */
  readonly doubtful: number
}

/** What is missing among the messages of a range, in order; everything up to `known` was stored or refused before. */
export const goneOf = (
  range: Range,
  messages: ReadonlyArray<{ readonly seq: number }>,
  known: number,
): Gone | undefined => {
  let gone: Gone | undefined
  let next = range.from
  const skipTo = (seq: number) => {
    if (seq <= next) return
    const doubtful = Math.max(0, seq - Math.max(next, known + 1))
    gone = { from: gone?.from ?? next, to: seq - 1, doubtful: (gone?.doubtful ?? 0) + doubtful }
  }
  for (const { seq } of messages) {
    skipTo(seq)
    next = seq + 1
  }
  skipTo(range.to + 1)
  return gone
}
