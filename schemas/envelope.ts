import { Schema } from "effect"
import { EMAIL, EVENT_ID, EVENT_TYPE, RFC3339, TENANT, URI_REFERENCE } from "./patterns.ts"
import { instantOf } from "./time.ts"

/** A string of so many characters, counted as JSON Schema counts them: an emoji is one. */
export const text = (minimum: number, maximum: number) =>
  Schema.String.check(
    // One filter, and a count of characters only where it matters: the decoder feels each check of each field.
    Schema.makeFilter(
      (value: string) =>
        value.length >= minimum && (value.length <= maximum || Array.from(value).length <= maximum),
      {
        expected: `a string of ${minimum} to ${maximum} characters`,
        toJsonSchema: () => ({ minLength: minimum, maxLength: maximum }),
        arbitraryConstraint: { minCodePoints: minimum, maxCodePoints: maximum },
      },
    ),
  )

/** An opaque id of a person or a thing. */
export const Id = text(1, 200)

/** The id of a person who acts. An e-mail address would outlive the erasure of its owner. */
export const PersonId = Id.check(
  Schema.makeFilter((id: string) => !EMAIL.test(id), {
    expected: "an opaque id, not an e-mail address",
    toJsonSchema: () => ({ not: { pattern: EMAIL.source } }),
  }),
)

/** RFC 3339; a calendar day that exists. */
export const Time = Schema.String.check(
  Schema.isPattern(RFC3339, { expected: "an RFC 3339 time such as 2026-11-02T09:30:00.125Z" }),
  Schema.makeFilter((time: string) => !Number.isNaN(instantOf(time)), {
    expected: "a day and time that exist",
    toJsonSchema: () => ({ format: "date-time" }),
  }),
)

export const Tenant = Schema.String.check(
  Schema.isPattern(TENANT, { expected: "1 to 63 lower-case letters, digits or hyphens" }),
)

/** The CloudEvents 1.0 attributes that every event carries; attributes beyond them are ignored. */
export const envelopeFields = {
  specversion: Schema.Literal("1.0"),
  id: Schema.String.check(
    Schema.isPattern(EVENT_ID, { expected: "1 to 100 of A-Z a-z 0-9 . _ : -" }),
  ).annotate({
    description: "The same on every retry. Identity is (tenant, id, time).",
  }),
  source: text(1, 200).check(
    Schema.isPattern(URI_REFERENCE, {
      expected: "a URI reference",
      toJsonSchema: () => ({ pattern: URI_REFERENCE.source, format: "uri-reference" }),
    }),
  ),
  type: Schema.String.check(
    Schema.isPattern(EVENT_TYPE, { expected: "an object and a verb such as note.logged" }),
  ),
  time: Time,
  tenantid: Tenant,
} as const

const known = (fields: object): ReadonlySet<string> => new Set(Object.keys(fields))

/** The first key of `data` that `fields` does not name, so that a typo is seen rather than dropped. */
export const unknownField = (fields: object): ((data: object) => string | undefined) => {
  const names = known(fields)
  return (data) => {
    for (const key in data) if (!names.has(key)) return key
    return undefined
  }
}
