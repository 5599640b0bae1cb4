import type { RowCounter } from "./format.ts"

const LINE_FEED = 10

/** Counts lines, in a format whose line feeds are the ends of rows. */
export const lineRows = (): RowCounter => ({
  in: (chunk) => {
    let rows = 0
    for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, at + 1)) rows++
    return rows
  },
  atEnd: () => 0,
})

/** Rows by a template, of cells that are written as the format wants them already: the store's own writers are slower. */
export const rowsByTemplate = (row: string): Readonly<Record<string, string | number>> => ({
  format_template_row_format: row,
  format_template_resultset_format: "${data}",
  format_template_rows_between_delimiter: "",
})
