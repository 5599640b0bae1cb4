import { Result, Schema } from "effect"
import { type Invalid, invalidIn } from "./invalid.ts"

export type Decoded<A> =
  | { readonly ok: true; readonly value: A }
  | { readonly ok: false; readonly invalid: ReadonlyArray<Invalid> }

/** Decodes what a request brought; says everything that is wrong with it, the first of each place. */
export const decoder = <A>(schema: Schema.Decoder<A>): ((given: unknown) => Decoded<A>) => {
  const decode = Schema.decodeUnknownResult(schema, { errors: "all", onExcessProperty: "error" })
  return (given) => {
    const result = decode(given)
    if (Result.isSuccess(result)) return { ok: true, value: result.success }
    const invalid = invalidIn(result.failure.issue, given)
    // What fails one check of a value mostly fails the next one too.
    const firsts = [...Map.groupBy(invalid, ({ place }) => place.join(".")).values()]
    return { ok: false, invalid: firsts.flatMap(([first]) => first ?? []) }
  }
}
