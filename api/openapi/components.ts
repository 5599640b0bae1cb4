import { type JsonSchema, Schema } from "effect"

const LOCAL = "#/$defs/"
const SHARED = "#/components/schemas/"

/** JSON Schemas of the specification; what has an identifier is written once, under the components. */
export class Components {
  readonly schemas: Record<string, unknown> = {}

  add(schema: Schema.Constraint): JsonSchema.JsonSchema {
    const document = Schema.toJsonSchemaDocument(Schema.toType(schema))
    for (const [name, definition] of Object.entries(document.definitions))
      this.schemas[name] = relocated(definition)
    return relocated(document.schema)
  }
}

const relocated = (schema: JsonSchema.JsonSchema): JsonSchema.JsonSchema =>
  JSON.parse(JSON.stringify(schema), (key, value: unknown) =>
    key === "$ref" && typeof value === "string" ? value.replace(LOCAL, SHARED) : value,
  ) as JsonSchema.JsonSchema
