/** A range of sequences that was compared with raw. */
export interface Compared {
  readonly from_seq: number
  readonly to_seq: number
  readonly differences: number
  /** The first and the last sequence that differs; 0 where nothing does, or nobody wrote it down. */
  readonly wrong_from: number
  readonly wrong_to: number
}

export interface Coverage {
  /** Everything that the stream holds up to here is proved, without a gap; 0 when nothing is. */
  readonly through: number
  /** Those of ranges that no later comparison has cleared. */
  readonly differences: number
}

interface Piece {
  readonly from: number
  readonly to: number
}

/** What is left of a piece without another. */
const without = (piece: Piece, other: Piece): ReadonlyArray<Piece> =>
  other.to < piece.from || other.from > piece.to
    ? [piece]
    : [
        { from: piece.from, to: other.from - 1 },
        { from: other.to + 1, to: piece.to },
      ].filter(({ from, to }) => from <= to)

const joinNeighbours = (pieces: ReadonlyArray<Piece>): ReadonlyArray<Piece> => {
  const joined: Array<Piece> = []
  for (const piece of pieces.toSorted((a, b) => a.from - b.from)) {
    const last = joined.at(-1)
    if (last !== undefined && piece.from <= last.to + 1)
      joined[joined.length - 1] = { from: last.from, to: Math.max(last.to, piece.to) }
    else joined.push(piece)
  }
  return joined
}

const isIn = (pieces: ReadonlyArray<Piece>, other: Piece): boolean =>
  pieces.some(({ from, to }) => from <= other.to && to >= other.from)

/**
 * What comparisons, the newest first, come to: of each sequence the newest word counts. `held` is the first sequence that
 * the stream holds: a proof that begins behind it says nothing of what is before, and one that ends before it nothing of what
 * is between them. A difference that has left the stream was never cleared.
 */
export const coverageOf = (newestFirst: ReadonlyArray<Compared>, held: number): Coverage => {
  let known: ReadonlyArray<Piece> = []
  const proved: Array<Piece> = []
  let differences = 0
  for (const { from_seq: from, to_seq: to, differences: found, ...wrong } of newestFirst) {
    let visible: ReadonlyArray<Piece> = [{ from, to }]
    for (const piece of known) visible = visible.flatMap((part) => without(part, piece))
    if (visible.length === 0) continue
    if (found === 0) proved.push(...visible)
    else if (isIn(visible, { from: wrong.wrong_from || from, to: wrong.wrong_to || to })) differences += found
    known = joinNeighbours([...known, ...visible])
  }
  const whole = joinNeighbours(proved).findLast(({ from }) => from <= Math.max(held, 1))
  return { through: whole?.to ?? 0, differences }
}
