/** A writer process and the streams that it owns. */
export interface Holder {
  readonly writer: string
  readonly held: number
}

/**
 * How many of so many streams a writer is to have: as many as the others, and where they do not divide evenly, one more for
 * those who have most already, so that nothing moves without need. Every writer comes to the same for all of them.
 */
const shareOf = (writer: string, streams: number, holders: ReadonlyArray<Holder>): number => {
  const order = holders.toSorted((a, b) => b.held - a.held || (a.writer < b.writer ? -1 : 1))
  const rank = order.findIndex((holder) => holder.writer === writer)
  if (rank < 0) return 0
  return Math.floor(streams / order.length) + (rank < streams % order.length ? 1 : 0)
}

/** A stream as the ledger has it. */
export interface Standing {
  readonly stream: string
  /** Whose lease holds; undefined when none does and nobody has reserved it. */
  readonly owner: string | undefined
}

/** What a writer is to claim, and what to give back. */
export interface Moves {
  readonly take: ReadonlyArray<string>
  readonly give: ReadonlyArray<string>
}

/**
 * What a writer does about a group of streams that are as much work as each other. `mine` are those that it holds by its own
 * word, or is about to.
 */
export const movesOf = (
  writer: string,
  writers: ReadonlyArray<string>,
  streams: ReadonlyArray<Standing>,
  mine: ReadonlySet<string>,
): Moves => {
  const own = streams.filter(({ stream }) => mine.has(stream))
  const holders = writers.map((name) => ({
    writer: name,
    held: name === writer ? own.length : streams.filter(({ owner }) => owner === name).length,
  }))
  const share = shareOf(writer, streams.length, holders)
  if (own.length > share) return { take: [], give: own.slice(share).map(({ stream }) => stream) }
  const free = streams.filter(({ stream, owner }) => owner === undefined && !mine.has(stream))
  // Each begins elsewhere, so that two who take at once do not meet at every stream.
  const start = free.length === 0 ? 0 : Math.floor((writers.indexOf(writer) * free.length) / writers.length)
  const order = [...free.slice(start), ...free.slice(0, start)]
  return { take: order.slice(0, share - own.length).map(({ stream }) => stream), give: [] }
}
