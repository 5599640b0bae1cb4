import type { ClickHouse } from "#clickhouse"
import type { ExportRequest, Snapshot } from "#schemas/export.ts"

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

/**
 * The bytes of a file, before gzip. Pulled, never pushed: nothing is read from the store before it is asked for, and the
 * memory does not grow with the file. The same request and snapshot give the same bytes. An error of the store is
 * thrown as its typed error, never swallowed: a file that ended without one is whole.
 */
export const render = (rendering: Rendering): AsyncIterable<Uint8Array> => {
  throw new Error(`no format ${rendering.request.format} yet`)
}
