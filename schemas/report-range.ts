import { Schema, SchemaGetter } from "effect"
import { Zone } from "./directory-event.ts"
import { Day } from "./target.ts"

const DAY = 86_400_000

/** Whole days since 1970 of `YYYY-MM-DD`. */
export const dayNumber = (date: string): number => Date.parse(`${date}T00:00:00Z`) / DAY

/** `YYYY-MM-DD` of whole days since 1970. */
export const dateOf = (day: number): string => new Date(day * DAY).toISOString().slice(0, 10)

const exists = (date: string): boolean => {
  const day = dayNumber(date)
  return !Number.isNaN(day) && dateOf(day) === date && date >= "2000-01-01" && date <= "2100-12-31"
}

const rangeDay = (which: string) =>
  Day.annotate({ description: `${which} day of the range, which belongs to it, in the report's time zone.` })

/** Actions are kept for 25 months; a month more lets a range begin and end on whole months. */
export const MAX_RANGE_DAYS = 800

export const rangeFields = {
  from: rangeDay("The first"),
  to: rangeDay("The last"),
  tz: Schema.optionalKey(
    Zone.annotate({ description: "IANA time zone of the days; the tenant's own when absent." }),
  ),
} as const

/** `from` is not after `to`, and they are not too far apart. */
export const isRange = Schema.makeFilter(({ from, to }: { readonly from: string; readonly to: string }) => {
  if (!exists(from) || !exists(to)) return undefined
  if (from > to) return { path: ["to"], issue: "Expected a day not before from" }
  if (dayNumber(to) - dayNumber(from) >= MAX_RANGE_DAYS)
    return { path: ["to"], issue: `Expected at most ${MAX_RANGE_DAYS} days from from` }
  return undefined
})

export const MAX_VALUES = 200
const Value = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(320))

/** A list is a repeated parameter, in a body an array; its values are an "or". */
export const values = <Item extends Schema.Codec<string>>(item: Item, description: string) => {
  const several = Schema.Array(item).check(Schema.isMaxLength(MAX_VALUES))
  return Schema.Union([several, item])
    .annotate({ description: `${description} One, or an array of several.` })
    .pipe(
      Schema.decodeTo(several.annotate({ description: `${description} Repeat the parameter for several.` }), {
        decode: SchemaGetter.transform((given) => (typeof given === "string" ? [given] : given)),
        encode: SchemaGetter.passthrough(),
      }),
    )
}

export const ids = (description: string) => values(Value, description)

/** A whole number, written in digits alone. */
export const wholeNumber = (minimum: number, maximum: number) =>
  Schema.String.check(Schema.isPattern(/^\d{1,6}$/u, { expected: "a whole number" })).pipe(
    Schema.decodeTo(Schema.Int.check(Schema.isBetween({ minimum, maximum })), {
      decode: SchemaGetter.transform(Number),
      encode: SchemaGetter.transform(String),
    }),
  )

export const Cursor = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(8000)).annotate({
  description: "next_cursor of the page before, together with the same other parameters.",
})

/** What every report says about itself. */
export const metaFields = {
  from: Schema.String,
  to: Schema.String,
  time_zone: Schema.String.annotate({ description: "The zone whose calendar days these are." }),
  data_through: Schema.String.annotate({
    format: "date-time",
    description: "Everything that the streams received up to here is in the report.",
  }),
  filters: Schema.Record(Schema.String, Schema.Unknown).annotate({
    description: "The parameters as understood.",
  }),
  request_id: Schema.String,
} as const

export const unknownActors = {
  unknown_actors: Schema.Int.annotate({
    description:
      "Different members who acted in the range and whom the directory does not know; they are in no other number. Nothing is known of their teams and addresses, so these filters leave them in; user_id does not. 0 for a key that does not see everybody.",
  }),
} as const
