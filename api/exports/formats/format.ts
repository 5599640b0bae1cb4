import type { Cells } from "../../queries/export-cells.ts"

/** Counts the rows of a file that goes by. */
export interface RowCounter {
  /** Those that end in a chunk; the chunks come one after the other. */
  readonly in: (chunk: Uint8Array) => number
  /** Those that no chunk told of, when the file has ended. */
  readonly atEnd: () => number
}

/** A format that the store renders itself, byte for byte. */
export interface Format {
  readonly cells: Cells
  /** As the store calls it. */
  readonly name: string
  readonly settings: (names: ReadonlyArray<string>) => Readonly<Record<string, string | number>>
  /** What stands before the store's bytes. */
  readonly prefix: Uint8Array
  readonly rowCounter: () => RowCounter
}
