import { Schema } from "effect"
import { METRICS } from "#schemas/catalogue.ts"
import type { UsersParameters } from "#schemas/report-user-insights.ts"
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

// How a place's value comes back from a cursor into a statement.
const TEXT = { after: "{after_value:String}", cursors: placeOf(Schema.NullOr(Schema.String)) } as const
const COUNT = { after: "{after_value:Int64}", cursors: placeOf(Schema.Int) } as const
const INSTANT = {
  after: "parseDateTime64BestEffort({after_value:String}, 3, 'UTC')",
  cursors: placeOf(Schema.NullOr(Schema.String.check(Schema.makeFilter(isInstant)))),
} as const

/** What the report can be sorted by; a metric by its place in the catalogue. */
const SORTS = {
  user_id: { expression: "user_id", ...TEXT },
  name: { expression: "name", ...TEXT },
  email: { expression: "email", ...TEXT },
  active_days: { expression: "toInt64(active_days)", ...COUNT },
  last_tracked_activity_at: { expression: "last_at", ...INSTANT },
  metric: { expression: "metrics[{metric:UInt16}]", ...COUNT },
} as const
type Sort = keyof typeof SORTS

const isSort = (sort: string): sort is Sort => Object.hasOwn(SORTS, sort) && sort !== "metric"

export interface Order {
  readonly sort: Sort
  readonly descending: boolean
  /** From 1, as arrays of the store are counted; 0 when it is no metric. */
  readonly metric: number
}

export const orderOf = ({ sort = "user_id" }: UsersParameters): Order => {
  const descending = sort.startsWith("-")
  const name = descending ? sort.slice(1) : sort
  return { sort: isSort(name) ? name : "metric", descending, metric: METRICS.indexOf(name) + 1 }
}

export const userCursors = (parameters: UsersParameters): Cursors<Place> =>
  SORTS[orderOf(parameters).sort].cursors

/** The value that a row is sorted by. */
export const sortedBy = ({ sort }: Order): string => SORTS[sort].expression

/** True for rows after the place: nulls last, ties by id. */
export const afterPlace = ({ sort, descending }: Order, { value }: Place): string => {
  if (value === null) return "sorted_by IS NULL AND user_id > {after_id:String}"
  const { after } = SORTS[sort]
  return `sorted_by IS NULL OR sorted_by ${descending ? "<" : ">"} ${after}
    OR (sorted_by = ${after} AND user_id > {after_id:String})`
}
