import { Schema } from "effect"
import { METRICS } from "#schemas/catalogue.ts"
import { type Cursors, cursors } from "./cursor.ts"

/** The last row of a page: the value that it was sorted by, and its id. The next page begins after it. */
export interface Place {
  readonly value: string | number | null
  readonly id: string
}

const placeOf = (value: Schema.Decoder<Place["value"]>): Cursors<Place> =>
  cursors(Schema.Struct({ value, id: Schema.String }))

const isInstant = (text: string): boolean => {
  const instant = Date.parse(text)
  return instant >= 0 && instant < Date.UTC(2200, 0) && new Date(instant).toISOString() === text
}

/** How a place's value comes back from a cursor into a statement. */
interface Kind {
  readonly after: string
  readonly cursors: Cursors<Place>
}
export const TEXT: Kind = { after: "{after_value:String}", cursors: placeOf(Schema.NullOr(Schema.String)) }
export const COUNT: Kind = { after: "{after_value:Int64}", cursors: placeOf(Schema.Int) }
/** A ratio as a whole number of millionths of a millionth, since a double would not come back as it went. */
export const RATIO: Kind = { after: "{after_value:Int64}", cursors: placeOf(Schema.NullOr(Schema.Int)) }
export const ratio = (expression: string): string => `toInt64(round(${expression} * 1e12))`
export const INSTANT: Kind = {
  after: "parseDateTime64BestEffort({after_value:String}, 3, 'UTC')",
  cursors: placeOf(Schema.NullOr(Schema.String.check(Schema.makeFilter(isInstant)))),
}

/** What a report's rows can be sorted by, beside the metrics: the expression over a row, and its kind. */
export type Sorts = Readonly<Record<string, Kind & { readonly expression: string }>>

/** A metric by its place in the catalogue, so that all metrics have one statement. */
const METRIC = { expression: "toInt64(metrics[{metric:UInt16}])", ...COUNT }

export interface Order {
  /** The column that names a row. */
  readonly id: string
  readonly expression: string
  readonly descending: boolean
  readonly after: string
  readonly cursors: Cursors<Place>
  /** From 1, as arrays of the store are counted; 0 when it is no metric. */
  readonly metric: number
}

/** The order of rows by one of the sorts or a metric; with - in front: descending. */
export const orderBy = (sorts: Sorts, id: string, sort: string): Order => {
  const descending = sort.startsWith("-")
  const name = descending ? sort.slice(1) : sort
  const by = Object.hasOwn(sorts, name) ? (sorts[name] ?? METRIC) : METRIC
  return { ...by, id, descending, metric: METRICS.indexOf(name) + 1 }
}

/** True for rows after the place: nulls last, ties by id. */
export const afterPlace = ({ id, descending, after }: Order, place: Place | undefined): string => {
  if (place === undefined) return "true"
  if (place.value === null) return `sorted_by IS NULL AND ${id} > {after_id:String}`
  return `sorted_by IS NULL OR sorted_by ${descending ? "<" : ">"} ${after}
    OR (sorted_by = ${after} AND ${id} > {after_id:String})`
}

export const inOrder = ({ id, descending }: Order): string =>
  `sorted_by ${descending ? "DESC" : "ASC"} NULLS LAST, ${id}`

export const orderParams = ({ metric }: Order, place: Place | undefined, limit: number) => ({
  metric,
  after_value: place?.value ?? "",
  after_id: place?.id ?? "",
  limit: limit + 1,
})

interface Sorted {
  readonly on_page: 0 | 1
  readonly sorted_by: Place["value"]
  readonly unknown_actors: number
}

export interface Page<Row> {
  readonly rows: ReadonlyArray<Row>
  /** Undefined when this is the last page. */
  readonly next: Place | undefined
  readonly unknownActors: number
}

/**
 * The page of what a statement found: one row more than the limit says that there is another page, and rows that are
 * not on it come last and hold the number of unknown actors even when the page is empty.
 */
export const pageOf = <Row extends Sorted>(
  found: ReadonlyArray<Row>,
  limit: number,
  idOf: (row: Row) => string,
): Page<Row> => {
  const onPage = found.filter((row) => row.on_page === 1)
  const rows = onPage.slice(0, limit)
  const last = rows.at(-1)
  return {
    rows,
    next: onPage.length > limit && last !== undefined ? { value: last.sorted_by, id: idOf(last) } : undefined,
    unknownActors: found[0]?.unknown_actors ?? 0,
  }
}
