import type { Cells } from "../../queries/export-cells.ts"

/** A format that the store renders itself, byte for byte. */
export interface Format {
  readonly cells: Cells
  /** As the store calls it. */
  readonly name: string
  readonly settings: (names: ReadonlyArray<string>) => Readonly<Record<string, string | number>>
  /** What stands before the store's bytes. */
  readonly prefix: Uint8Array
  /** Counts the rows that end in a chunk; the chunks come one after the other. */
  readonly rowCounter: () => (chunk: Uint8Array) => number
}
