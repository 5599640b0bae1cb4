// `npm run schemas`: writes the documents that producers read into schemas/generated.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { asyncApi } from "./asyncapi.ts"
import { actionEventSchema, deadLetterSchema, directoryEventSchema } from "./json-schema.ts"

export const GENERATED = join(import.meta.dirname, "generated")

const version = (): string => {
  const text = readFileSync(join(import.meta.dirname, "..", "package.json"), "utf8")
  return (JSON.parse(text) as { readonly version: string }).version
}

/** The text of each document by its file name. */
export const documents = (): ReadonlyMap<string, string> =>
  new Map(
    Object.entries({
      "action-event.schema.json": actionEventSchema,
      "directory-event.schema.json": directoryEventSchema,
      "dead-letter.schema.json": deadLetterSchema,
      "asyncapi.json": asyncApi(version()),
    }).map(([name, document]) => [name, `${JSON.stringify(document, undefined, 2)}\n`]),
  )

if (import.meta.main) {
  mkdirSync(GENERATED, { recursive: true })
  for (const [name, text] of documents()) writeFileSync(join(GENERATED, name), text)
}
