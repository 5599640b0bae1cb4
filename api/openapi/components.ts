import { type JsonSchema, Schema } from "effect"
import { actionEventSchema, directoryEventSchema } from "#schemas/json-schema.ts"
import type { Events } from "../http/endpoint.ts"

type Document = JsonSchema.JsonSchema

const LOCAL = "#/$defs/"
const SHARED = "#/components/schemas/"

const asAnswered = (name: string): string => name
/** It can leave out what an answer always has, so it is not the same component. */
const asSent = (name: string): string => (name.startsWith("New") ? name : `New${name}`)

/** JSON Schemas of the specification; what has an identifier is written once, under the components. */
export class Components {
  readonly schemas: Record<string, unknown> = {}

  /** What is answered, or what a parameter means; fields may be added to it. */
  answered(schema: Schema.Constraint): Document {
    return this.#keep(Schema.toJsonSchemaDocument(Schema.toType(schema)), asAnswered)
  }

  /** What a body can be: defaults may be left out, and there is nothing beyond what is named. */
  sent(schema: Schema.Constraint): Document {
    return this.#keep(Schema.toJsonSchemaDocument(schema, { onExcessProperty: "error" }), asSent)
  }

  /** Events, by the documents that producers have: attributes of the envelope beyond those named are ignored. */
  events({ kind, many }: Events): Document {
    const { $schema: _, ...document } = kind === "ActionEvent" ? actionEventSchema : directoryEventSchema
    this.schemas[kind] = document
    const one = { $ref: SHARED + kind }
    return many ? { type: "array", items: one } : one
  }

  #keep(
    { schema, definitions }: JsonSchema.Document<"draft-2020-12">,
    named: (name: string) => string,
  ): Document {
    for (const [name, definition] of Object.entries(definitions))
      this.schemas[named(name)] = relocated(definition, named)
    return relocated(schema, named)
  }
}

const relocated = (schema: Document, named: (name: string) => string): Document =>
  JSON.parse(JSON.stringify(schema), (key, value: unknown) =>
    key === "$ref" && typeof value === "string" ? SHARED + named(value.slice(LOCAL.length)) : value,
  ) as Document
