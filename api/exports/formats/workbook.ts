import { pipeline, Readable } from "node:stream"
import { createDeflateRaw } from "node:zlib"
import { blocksOf } from "../files.ts"
import { LinesReader } from "./lines-reader.ts"
import { type Deflate, type ZipEntry, zipOf } from "./zip.ts"

// A workbook is a zip archive of XML: ECMA-376, part 1 (SpreadsheetML) and part 2 (packages).

const SPREADSHEETML = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
const RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
const PACKAGE = "http://schemas.openxmlformats.org/package/2006"
const TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
const DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

/** Of a sheet, the headings among them. */
const MAX_ROWS = 1_048_576
/** A sheet ends at the next row after so many bytes of XML: a file of a zip archive may have 4 GiB. */
const MAX_BYTES = 4_000_000_000

export interface SheetLimits {
  readonly rows: number
  readonly bytes: number
}

const numbers = (count: number): ReadonlyArray<number> =>
  Array.from({ length: count }, (_, index) => index + 1)

const packageRelationships = `${DECLARATION}<Relationships xmlns="${PACKAGE}/relationships"><Relationship Id="rId1" Type="${RELATIONSHIPS}/officeDocument" Target="xl/workbook.xml"/></Relationships>`

const workbookXml = (sheets: number): string =>
  `${DECLARATION}<workbook xmlns="${SPREADSHEETML}" xmlns:r="${RELATIONSHIPS}"><sheets>${numbers(sheets)
    .map((n) => `<sheet name="Sheet${n}" sheetId="${n}" r:id="rId${n}"/>`)
    .join("")}</sheets></workbook>`

const workbookRelationships = (sheets: number): string =>
  `${DECLARATION}<Relationships xmlns="${PACKAGE}/relationships">${numbers(sheets)
    .map(
      (n) =>
        `<Relationship Id="rId${n}" Type="${RELATIONSHIPS}/worksheet" Target="worksheets/sheet${n}.xml"/>`,
    )
    .join(
      "",
    )}<Relationship Id="rId${sheets + 1}" Type="${RELATIONSHIPS}/styles" Target="styles.xml"/></Relationships>`

const contentTypes = (sheets: number): string =>
  `${DECLARATION}<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="${TYPES}.sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="${TYPES}.styles+xml"/>${numbers(
    sheets,
  )
    .map((n) => `<Override PartName="/xl/worksheets/sheet${n}.xml" ContentType="${TYPES}.worksheet+xml"/>`)
    .join("")}</Types>`

const styles = `${DECLARATION}<styleSheet xmlns="${SPREADSHEETML}"><fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/></cellXfs></styleSheet>`

/** The headings stay in sight, and stand on every sheet. */
const sheetStart = (names: ReadonlyArray<string>): Buffer =>
  Buffer.from(
    `${DECLARATION}<worksheet xmlns="${SPREADSHEETML}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>\n<row>${names
      .map((name) => `<c t="inlineStr"><is><t>${name}</t></is></c>`)
      .join("")}</row>\n`,
  )
const SHEET_END = Buffer.from("</sheetData></worksheet>")

/** Of one size, so that the same bytes come out however they came in. */
const BLOCK = 256 * 1024
/** The fastest: rows are much alike and become small all the same. */
const LEVEL = 1

const deflate: Deflate = (bytes) => {
  const compressor = createDeflateRaw({ level: LEVEL, chunkSize: 64 * 1024 })
  // An error on either side destroys both; reading on throws it.
  pipeline(Readable.from(blocksOf(bytes, BLOCK), { objectMode: false }), compressor, () => undefined)
  return compressor
}

const file = (name: string, text: string): ZipEntry => ({
  name,
  bytes: () => Readable.from([Buffer.from(text)]),
})

async function* parts(
  names: ReadonlyArray<string>,
  rows: LinesReader,
  limits: SheetLimits,
): AsyncGenerator<ZipEntry, void, undefined> {
  yield file("_rels/.rels", packageRelationships)
  let sheets = 0
  do {
    sheets++
    yield {
      name: `xl/worksheets/sheet${sheets}.xml`,
      bytes: async function* () {
        yield sheetStart(names)
        yield* rows.take(limits.rows - 1, limits.bytes)
        yield SHEET_END
      },
    }
  } while (!(await rows.isAtEnd()))
  // How many there are is known now.
  yield file("xl/workbook.xml", workbookXml(sheets))
  yield file("xl/_rels/workbook.xml.rels", workbookRelationships(sheets))
  yield file("xl/styles.xml", styles)
  yield file("[Content_Types].xml", contentTypes(sheets))
}

/** A workbook of rows, each of which is a line `<row>…</row>`. */
export async function* workbookOf(
  names: ReadonlyArray<string>,
  rows: AsyncIterable<Uint8Array>,
  limits: SheetLimits = { rows: MAX_ROWS, bytes: MAX_BYTES },
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = new LinesReader(rows)
  try {
    yield* zipOf(parts(names, reader, limits), deflate)
  } finally {
    await reader.close()
  }
}
