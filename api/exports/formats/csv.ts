import type { ExportRequest } from "#schemas/export.ts"
import type { Cells } from "../../queries/export-cells.ts"
import type { Format, RowCounter } from "./format.ts"

/**
 * What a spreadsheet may take for the beginning of a formula: `=`, `+`, `-`, `@`, and what may be dropped before one of
 * them: tab, line feed, carriage return, NUL. No empty text comes here, whose `ascii` is 0 too.
 */
const FORMULA_STARTS = [61, 43, 45, 64, 9, 10, 13, 0]

const defused = (text: string): string =>
  `if(ascii(${text}) IN (${FORMULA_STARTS.join(", ")}), concat('''', ${text}), ${text})`

const asItIs = (text: string): string => text

const cells = (defuse: boolean): Cells => ({
  text: defuse ? defused : asItIs,
  long: defuse ? defused : asItIs,
  absent: "''",
  instant: (time) => time,
  count: (number) => number,
  flag: (condition) => `toBool(${condition})`,
})

const QUOTE = 34
const LINE_FEED = 10

/** Rows of RFC 4180: a line ends outside of quotes. The headings are no row. */
const csvRows = (): RowCounter => {
  let isQuoted = false
  let headings = 1
  return {
    in: (chunk) => {
      let rows = 0
      for (let at = 0; at < chunk.length; at++) {
        const byte = chunk[at]
        if (byte === QUOTE) isQuoted = !isQuoted
        else if (byte === LINE_FEED && !isQuoted) rows++
      }
      if (rows === 0) return 0
      const counted = rows - headings
      headings = 0
      return counted
    },
    atEnd: () => 0,
  }
}

/** RFC 4180 with headings, in UTF-8. */
export const csv = ({ defuse = true, bom = false }: NonNullable<ExportRequest["csv"]> = {}): Format => ({
  cells: cells(defuse),
  name: "CSVWithNames",
  settings: () => ({
    output_format_csv_crlf_end_of_line: 1,
    format_csv_null_representation: "",
    date_time_output_format: "iso",
  }),
  prefix: bom ? Buffer.from("\uFEFF") : Buffer.alloc(0),
  rowCounter: csvRows,
})
