import { utcTimeOf } from "../../queries/export-clock.ts"
import type { Format } from "./format.ts"
import { lineRows, rowsByTemplate } from "./lines.ts"

/** What a cell may hold, in UTF-16 units, of which a character beyond the first 65,536 takes two. */
const MAX_CELL = 32_767
const ASTRAL = "'[\\\\x{10000}-\\\\x{10FFFF}]'"

/** Cut where a cell ends, with a sign that it was. */
const fitted = (text: string): string => `if(
    length(${text}) > ${MAX_CELL} AND lengthUTF8(${text}) + countMatches(${text}, ${ASTRAL}) > ${MAX_CELL},
    concat(substringUTF8(${text}, 1, if(match(${text}, ${ASTRAL}), ${(MAX_CELL - 1) / 2}, ${MAX_CELL - 1})), '…'),
    ${text})`

/**
 * XML knows no control characters; Office writes them, and what looks like one of them, as `_xHHHH_`. Spaces at the ends
 * are kept where that is said.
 */
const SPECIAL = "'^ | $|[\\\\x00-\\\\x1F\\\\x{FFFE}\\\\x{FFFF}]|_x[0-9A-Fa-f]{4}_'"

const specially = (text: string): string => `arrayStringConcat(arrayMap(
    c -> multiIf(
      c = '\\n', '&#10;',
      c = '\\t', '&#9;',
      c = '_x', '_x005F_x',
      c = '\\uFFFE', '_xFFFE_',
      c = '\\uFFFF', '_xFFFF_',
      length(c) = 1 AND ascii(c) < 32, concat('_x00', hex(c), '_'),
      encodeXMLComponent(c)),
    extractAll(${text}, '(?s)_x|.')))`

const inline = (xml: string, attribute = ""): string =>
  `concat('<c t="inlineStr"><is><t${attribute}>', ${xml}, '</t></is></c>')`

const textCell = (text: string): string => `if(
    match(${text}, ${SPECIAL}),
    ${inline(specially(text), ' xml:space="preserve"')},
    ${inline(`encodeXMLComponent(${text})`)})`

/** Cells of a row in SpreadsheetML. Text is a string in place, which no program calculates; numbers are numbers. */
export const xlsxRows: Format = {
  cells: {
    text: (text) => textCell(text),
    long: (text) => textCell(fitted(text)),
    absent: "'<c/>'",
    instant: (time) => `ifNull(${inline(utcTimeOf(time))}, '<c/>')`,
    count: (number) => `concat('<c><v>', toString(${number}), '</v></c>')`,
    flag: (condition) => `if(${condition}, '<c t="b"><v>1</v></c>', '<c t="b"><v>0</v></c>')`,
  },
  name: "Template",
  settings: (names) => ({
    ...rowsByTemplate(`<row>${names.map((name) => `\${${name}:Raw}`).join("")}</row>\n`),
  }),
  prefix: Buffer.alloc(0),
  rowCounter: lineRows,
}
