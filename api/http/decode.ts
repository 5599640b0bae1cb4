import { Schema } from "effect"

/** What is wrong, and where: the names of fields from the outside in. */
export interface Invalid {
  readonly place: ReadonlyArray<string>
  readonly detail: string
}

export type Decoded<A> =
  | { readonly ok: true; readonly value: A }
  | { readonly ok: false; readonly invalid: ReadonlyArray<Invalid> }

/** Decodes what a request brought; says everything that is wrong with it, the first of each place. */
export const decoder = <A>(schema: Schema.Decoder<A>): ((given: unknown) => Decoded<A>) => {
  const { validate } = Schema.toStandardSchemaV1(schema, {
    parseOptions: { errors: "all", onExcessProperty: "error" },
  })["~standard"]
  return (given) => {
    const result = validate(given)
    // A schema of this API waits for nothing.
    if (result instanceof Promise) throw new Error("a schema that decodes asynchronously")
    if (result.issues === undefined) return { ok: true, value: result.value }
    const invalid = result.issues.map(({ path = [], message }) => ({
      place: path.map((step) => String(typeof step === "object" ? step.key : step)),
      detail: message,
    }))
    // What fails one check of a value mostly fails the next one too.
    const firsts = [...Map.groupBy(invalid, ({ place }) => place.join(".")).values()]
    return { ok: false, invalid: firsts.flatMap(([first]) => first ?? []) }
  }
}
