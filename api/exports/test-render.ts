// What the tests of formats share: files of a snapshot as they are, and as the cells that a reader sees in them.
import { Effect, Exit, Layer, Scope } from "effect"
import { strFromU8, unzipSync } from "fflate"
import { parquetReadObjects } from "hyparquet"
import { afterAll, beforeAll } from "vitest"
import { ClickHouse } from "#clickhouse"
import type { ExportRequest, Snapshot } from "#schemas/export.ts"
import { storeAs } from "../test-app.ts"
import { render } from "./render.ts"

const EVERYTHING = { generation: 4_000_000_000, sequence: 9_000_000_000 } as const

export const snapshotOf = (
  tenant: string,
  range: Pick<Snapshot, "from" | "to"> & Partial<Snapshot>,
): Snapshot => ({
  tenant,
  zone: "Europe/Berlin",
  now: Date.parse("2026-11-22T12:00:00Z"),
  pin: EVERYTHING,
  scope: { kind: "everybody" },
  hide_names: false,
  ...range,
})

export interface Rendered {
  readonly bytes: Buffer
  readonly rows: number
  readonly expected: number | undefined
}

/** Renders with the store's user of the exporter. */
export const renderer = () => {
  const scope = Effect.runSync(Scope.make())
  let store: ClickHouse["Service"]
  beforeAll(async () => {
    const context = await Effect.runPromise(Layer.buildWithScope(storeAs("tidemark_exporter"), scope))
    store = await Effect.runPromise(ClickHouse.pipe(Effect.provide(context)))
  })
  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

  const file = async (
    request: Omit<ExportRequest, "from" | "to">,
    snapshot: Snapshot,
    signal = new AbortController().signal,
    by = store,
  ): Promise<Rendered> => {
    const chunks: Array<Uint8Array> = []
    let rows = 0
    let expected: number | undefined
    const { from, to } = snapshot
    const bytes = render({
      store: by,
      request: { ...request, from, to } as ExportRequest,
      snapshot,
      signal,
      onExpected: (count) => (expected = count),
      onRows: (more) => (rows += more),
    })
    for await (const chunk of bytes) chunks.push(chunk)
    return { bytes: Buffer.concat(chunks), rows, expected }
  }
  return { file, exporter: () => store }
}

export type Cell = string | number | boolean | null
export type Row = Readonly<Record<string, Cell>>

const objects = (lines: ReadonlyArray<ReadonlyArray<Cell>>): ReadonlyArray<Row> => {
  const [names = [], ...rows] = lines
  return rows.map((row) => Object.fromEntries(row.map((cell, index) => [String(names[index]), cell])))
}

/** RFC 4180 to the letter: CRLF ends a line, quotes stand at both ends of a cell or not at all. */
export const readCsv = (bytes: Buffer, lineEnd = "\r\n"): ReadonlyArray<Row> => {
  const lines: Array<Array<string>> = []
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
  const cell = new RegExp(`(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|${lineEnd})`, "uy")
  let line: Array<string> = []
  while (cell.lastIndex < text.length) {
    const at = cell.lastIndex
    const match = cell.exec(text)
    if (match === null) throw new Error(`no CSV at ${at}: ${JSON.stringify(text.slice(at, at + 80))}`)
    line.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? "")
    if (match[3] === ",") continue
    lines.push(line)
    line = []
  }
  return objects(lines)
}

export const readNdjson = (bytes: Buffer): ReadonlyArray<Row> =>
  bytes
    .toString()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Row)

export const readParquet = async (bytes: Buffer): Promise<ReadonlyArray<Row>> => {
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer
  const rows = await parquetReadObjects({
    file,
    parsers: {
      // Its own one takes a byte order mark for one.
      stringFromBytes: (text: Uint8Array | undefined) =>
        text === undefined ? undefined : new TextDecoder("utf-8", { ignoreBOM: true }).decode(text),
    },
  })
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name,
        value instanceof Date
          ? value.toISOString()
          : typeof value === "bigint"
            ? Number(value)
            : ((value ?? null) as Cell),
      ]),
    ),
  )
}

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" }

/** Of XML, and then of Office within it. */
const decoded = (xml: string): string =>
  xml
    .replaceAll(/&(?:#(\d+)|(\w+));/gu, (_, code?: string, name = "") =>
      code === undefined ? (ENTITIES[name] ?? "?") : String.fromCodePoint(Number(code)),
    )
    .replaceAll(/_x([0-9A-Fa-f]{4})_/gu, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

const xlsxCell = (attributes: string, contents: string): Cell => {
  if (attributes.includes('t="inlineStr"'))
    return decoded(/<t(?: [^>]*)?>([^]*?)<\/t>/u.exec(contents)?.[1] ?? "")
  const value = /<v>([^<]*)<\/v>/u.exec(contents)?.[1]
  if (value === undefined) return null
  return attributes.includes('t="b"') ? value === "1" : Number(value)
}

export const readSheets = (bytes: Buffer): ReadonlyArray<ReadonlyArray<Row>> => {
  const files = unzipSync(bytes)
  const workbook = strFromU8(files["xl/workbook.xml"] ?? new Uint8Array())
  const names = [...workbook.matchAll(/<sheet name="Sheet(\d+)"/gu)].map(([, n]) => n)
  return names.map((n) => {
    const xml = strFromU8(files[`xl/worksheets/sheet${n}.xml`] ?? new Uint8Array())
    return objects(
      [...xml.matchAll(/<row>([^]*?)<\/row>/gu)].map(([, row = ""]) =>
        [...row.matchAll(/<c(?: ([^>]*?))?(?:\/>|>([^]*?)<\/c>)/gu)].map(
          ([, attributes = "", contents = ""]) => xlsxCell(attributes, contents),
        ),
      ),
    )
  })
}

export const readXlsx = (bytes: Buffer): ReadonlyArray<Row> => readSheets(bytes).flat()
