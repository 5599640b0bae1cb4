import { Schema } from "effect"
import { Flag } from "effect/cli"

/** Holds a flag's text to a schema. `Flag.withSchema` would put its own words before those of the schema. */
export const fitting = (schema: Schema.Codec<string>) =>
  Flag.mapTryCatch(Schema.decodeUnknownSync(schema), (error) =>
    (error instanceof Error ? error.message : String(error)).replace(/^Expected /u, ""),
  )
