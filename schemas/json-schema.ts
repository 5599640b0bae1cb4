import { JsonSchema, Schema } from "effect"
import { ActionData } from "./action-event.ts"
import { CATALOGUE } from "./catalogue.ts"
import { DeadLetter } from "./dead-letter.ts"
import { DIRECTORY_TYPES, directoryDataOf } from "./directory-event.ts"
import { envelopeFields } from "./envelope.ts"

type Document = JsonSchema.JsonSchema

/** The JSON Schema (2020-12) of a schema, without a `$ref` around it. */
const toDocument = (schema: Schema.Constraint, onExcessProperty: "ignore" | "error"): Document => {
  const { schema: root, definitions } = Schema.toJsonSchemaDocument(schema, { onExcessProperty })
  return definitions[String(root["$ref"]).replace("#/$defs/", "")] ?? root
}

// An unknown attribute of the envelope is an extension, an unknown field of `data` a typo.
const envelope = toDocument(Schema.Struct({ ...envelopeFields, data: Schema.Unknown }), "ignore")
const dataOf = (schema: Schema.Constraint): Document => toDocument(schema, "error")

const withProperties = (properties: Readonly<Record<string, Document>>): Document => ({
  ...envelope,
  properties: { ...(envelope["properties"] as Document), ...properties },
})

const titled = (title: string, description: string, document: Document): Document => ({
  $schema: JsonSchema.META_SCHEMA_URI_DRAFT_2020_12,
  title,
  description,
  ...document,
})

/** The references of `data` that an action's type asks for. */
const required = CATALOGUE.actions
  .filter(({ requires }) => requires.length > 0)
  .map(({ type, requires }) => ({
    if: { properties: { type: { const: type } } },
    // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
    then: { properties: { data: { type: "object", required: requires } } },
  }))

export const actionEventSchema = titled(
  "Action event",
  "One user action, on actions.v1.<tenant>.<object>.<verb>: CloudEvents 1.0, structured JSON.",
  {
    ...withProperties({
      type: { type: "string", enum: CATALOGUE.actions.map(({ type }) => type) },
      data: dataOf(ActionData),
    }),
    allOf: required,
  },
)

export const directoryEventSchema = titled(
  "Directory event",
  "Who and what the ids of the actions mean, on directory.v1.<tenant>.<object>.<verb>: CloudEvents 1.0, structured JSON.",
  {
    oneOf: DIRECTORY_TYPES.map((type) =>
      withProperties({
        type: { type: "string", const: type },
        data: dataOf(directoryDataOf(type)),
      }),
    ),
  },
)

export const deadLetterSchema = titled(
  "Dead letter",
  "A message that could not be stored: what the headers on dead.v1.<tenant>.<reason> say, and its payload.",
  toDocument(DeadLetter, "ignore"),
)
