/** How a format writes cells into its rows. Each takes an expression of the store and gives another. */
export interface Cells {
  /** Any text but the empty one. */
  readonly text: (expression: string) => string
  /** Text that can be longer than any field of the directory. */
  readonly long: (expression: string) => string
  /** What stands for text that is not there, which in every expression is the empty one. */
  readonly absent: string
  /** A DateTime64 in UTC that may be NULL. */
  readonly instant: (expression: string) => string
  readonly count: (expression: string) => string
  readonly flag: (expression: string) => string
}

/** A statement that gives a file's rows, in the order of the file. */
interface ExportStatement {
  /** Of the columns, in the order of the file. */
  readonly names: ReadonlyArray<string>
  readonly statement: (cells: Cells) => string
  readonly params: Readonly<Record<string, unknown>>
  readonly settings: Readonly<Record<string, string | number>>
}

/** How many rows there are, and the statement that gives them. */
export interface Exported {
  readonly rows: number
  readonly exported: ExportStatement
}

/** A cell of text that may be empty. */
export const textCell = (cells: Cells, expression: string): string =>
  `if(empty(${expression}), ${cells.absent}, ${cells.text(expression)})`

/** A cell of text that may be empty and may be long. */
export const longCell = (cells: Cells, expression: string): string =>
  textCell({ ...cells, text: cells.long }, expression)

/** Of what was joined: written as a cell already, unless nothing was found. */
export const joinedCell = ({ absent }: Cells, expression: string): string =>
  absent === "''" ? expression : `if(empty(${expression}), ${absent}, ${expression})`
