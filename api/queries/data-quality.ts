import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { Effect } from "effect"
import { TABLES } from "#schemas/names.ts"
import type { DataQuality } from "#schemas/report-data-quality.ts"

const INSTANT = "'%Y-%m-%dT%H:%i:%S.%fZ', 'UTC'"

const STREAMS = `
SELECT
  stream AS stream,
  argMax(generation, at) AS generation,
  formatDateTime(max(at), ${INSTANT}) AS audited_at,
  argMax(proved_through, at) AS proved_through,
  argMax(differences, at) AS differences,
  argMax(gone, at) AS gone
FROM ${TABLES.auditStandings}
GROUP BY stream
ORDER BY stream`

const MONTHS = `
SELECT
  concat(toString(intDiv(month, 100)), '-', leftPad(toString(month % 100), 2, '0')) AS name,
  formatDateTime(max(at), ${INSTANT}) AS audited_at,
  argMax(differences, at) AS differences
FROM ${TABLES.auditMonths}
GROUP BY month
ORDER BY month`

const NOTES = `
SELECT
  formatDateTime(at, ${INSTANT}) AS noted_at,
  kind AS kind,
  stream AS stream,
  detail AS detail
FROM ${TABLES.dataQuality}
ORDER BY at DESC
LIMIT 100`

interface StreamRow {
  readonly stream: string
  readonly generation: number
  readonly audited_at: string
  readonly proved_through: number
  readonly differences: number
  readonly gone: number
}

interface MonthRow {
  readonly name: string
  readonly audited_at: string
  readonly differences: number
}

interface NoteRow {
  readonly noted_at: string
  readonly kind: string
  readonly stream: string
  readonly detail: string
}

/**
 * What audits and the writer say of the numbers. Streams and months are shared by all tenants: how much there is of them is
 * the operator's to know, so `inFull` is false for everybody else.
 */
export const readDataQuality = Effect.fn("readDataQuality")(function* (
  inFull: boolean,
): Effect.fn.Return<DataQuality["data"], ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  const { streams, months, notes } = yield* Effect.all(
    {
      streams: store.query<StreamRow>(STREAMS),
      months: store.query<MonthRow>(MONTHS),
      notes: store.query<NoteRow>(NOTES),
    },
    { concurrency: "unbounded" },
  )
  const figure = <A>(value: A): A | null => (inFull ? value : null)
  const compared = [...streams, ...months]
  return {
    is_exact: compared.length === 0 ? null : compared.every(({ differences }) => differences === 0),
    streams: streams.map(({ stream, generation, audited_at, proved_through, differences, gone }) => ({
      stream,
      generation,
      audited_at,
      is_exact: differences === 0,
      proved_through: figure(proved_through),
      differences: figure(differences),
      gone: figure(gone),
    })),
    months: months.map(({ name, audited_at, differences }) => ({
      month: name,
      audited_at,
      is_exact: differences === 0,
      differences: figure(differences),
    })),
    notes: notes.map(({ noted_at, kind, stream, detail }) => ({
      at: noted_at,
      kind,
      stream,
      detail: figure(detail),
    })),
  }
})
