import { ClickHouse } from "#clickhouse"
import { Effect } from "effect"
import type { ExportRequest, Snapshot } from "#schemas/export.ts"
import { exportActions } from "../queries/export-actions.ts"
import { exportInsights } from "../queries/export-insights.ts"
import { csv } from "./formats/csv.ts"
import type { Format } from "./formats/format.ts"
import { ndjson } from "./formats/ndjson.ts"
import { parquet } from "./formats/parquet.ts"
import { workbookOf } from "./formats/workbook.ts"
import { xlsxRows } from "./formats/xlsx.ts"

export interface Rendering {
  readonly store: ClickHouse["Service"]
  readonly request: ExportRequest
  readonly snapshot: Snapshot
  /** Ends the queries and the rendering; the iterator then throws. */
  readonly signal: AbortSignal
  /** Called once, early, with how many rows there will be; for the progress alone. */
  readonly onExpected: (rows: number) => void
  /** Called now and then with how many more data rows (no headings) were written. */
  readonly onRows: (rows: number) => void
}

/** Of the store for one file: one makes the rows while the other writes them. */
const THREADS = 2

const formatOf = ({ format, csv: options }: ExportRequest): Format => {
  switch (format) {
    case "csv":
      return csv(options)
    case "ndjson":
      return ndjson
    case "parquet":
      return parquet
    case "xlsx":
      return xlsxRows
  }
}

const open = ({ store, request, snapshot, signal }: Rendering) =>
  Effect.runPromise(
    (request.report === "user_actions"
      ? exportActions(request, snapshot)
      : exportInsights(request, snapshot)
    ).pipe(Effect.provideService(ClickHouse, store)),
    { signal },
  )

/**
 * The bytes of a file, before gzip. Pulled, never pushed: nothing is read from the store before it is asked for, and the
 * memory does not grow with the file. The same request and snapshot give the same bytes, in Parquet the same rows. An error
 * of the store is thrown as its typed error, never swallowed: a file that ended without one is whole.
 */
export async function* render(rendering: Rendering): AsyncGenerator<Uint8Array, void, undefined> {
  const { store, request, signal, onExpected, onRows } = rendering
  const { exported, rows } = await open(rendering)
  onExpected(rows)
  const format = formatOf(request)
  async function* stored() {
    const count = format.rowCounter()
    const statement = `${exported.statement(format.cells)}\nFORMAT ${format.name}`
    const settings = { ...exported.settings, ...format.settings(exported.names), max_threads: THREADS }
    for await (const chunk of store.stream(statement, { params: exported.params, settings, signal })) {
      onRows(count.in(chunk))
      yield chunk
    }
    onRows(count.atEnd())
  }
  if (request.format === "xlsx") {
    yield* workbookOf(exported.names, stored())
    return
  }
  if (format.prefix.length > 0) yield format.prefix
  yield* stored()
}
