import { Effect, type Schema } from "effect"
import { parseJson } from "#schemas/json.ts"
import { decoder } from "./decode.ts"
import { type Refused, refuse } from "./failure.ts"
import { hintOf, inShort } from "./invalid.ts"
import { readBody } from "./read-body.ts"

const MAX_BYTES = 64 * 1024

/** Reads and checks a JSON body of a request. */
export const jsonBodyOf = <B>(schema: Schema.Decoder<B>) => {
  const decode = decoder(schema)
  return Effect.fn("jsonBody")(function* (request: Request): Effect.fn.Return<B, Refused> {
    const type = (request.headers.get("Content-Type") ?? "").split(";", 1)[0]?.trim().toLowerCase()
    if (type !== "application/json")
      return yield* refuse(
        "unsupported_media_type",
        "The Content-Type is not supported.",
        { hint: "Use application/json." },
        { Accept: "application/json" },
      )
    const parsed = parseJson(yield* readBody(request, MAX_BYTES))
    if (!parsed.ok) return yield* refuse("malformed_body", parsed.detail)
    const decoded = decode(parsed.value)
    if (decoded.ok) return decoded.value
    const wrong = decoded.invalid
    const placeOf = (place: ReadonlyArray<string>) => place.join(".")
    return yield* refuse(
      "invalid_body",
      inShort(wrong, (place) => placeOf(place) || "the body"),
      {
        ...hintOf(wrong),
        errors: wrong.slice(0, 20).map(({ place, detail }) => ({ parameter: placeOf(place), detail })),
      },
    )
  })
}
