import { createHash } from "node:crypto"
import { Effect, Schema } from "effect"
import { type Refused, refuse } from "../http/failure.ts"

/** What of a list's parameters a cursor belongs to: all but the page itself. */
const fingerprint = (tenant: string, parameters: object): string => {
  const { cursor: _, limit: __, ...filters } = parameters as Record<string, unknown>
  const sorted = Object.entries(filters)
    .map(
      ([name, value]) =>
        [name, Array.isArray(value) ? [...new Set<string>(value)].toSorted() : value] as const,
    )
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
  return createHash("sha256")
    .update(JSON.stringify([tenant, sorted]))
    .digest("base64url")
    .slice(0, 16)
}

const invalid = (detail: string): Refused =>
  refuse("invalid_cursor", detail, { hint: "Begin again without a cursor." })

export interface Cursors<Place> {
  readonly write: (tenant: string, parameters: object, at: Place) => string
  /** The place after which the page begins; undefined for the first. */
  readonly read: (
    tenant: string,
    parameters: { readonly cursor?: string },
  ) => Effect.Effect<Place | undefined, Refused>
}

const Contents = Schema.fromJsonString(Schema.Struct({ of: Schema.String, at: Schema.Unknown }))

/** The opaque cursors of one list. Whoever makes one up can only name another place in the same list. */
export const cursors = <Place>(place: Schema.Decoder<Place>): Cursors<Place> => ({
  write: (tenant, parameters, at) =>
    Buffer.from(JSON.stringify({ of: fingerprint(tenant, parameters), at })).toString("base64url"),
  read: Effect.fn("readCursor")(function* (tenant, parameters) {
    const { cursor } = parameters
    if (cursor === undefined) return undefined
    const unreadable = Effect.mapError(() => invalid("The cursor cannot be read."))
    const text = Buffer.from(cursor, "base64url").toString()
    const { of, at } = yield* Schema.decodeUnknownEffect(Contents)(text).pipe(unreadable)
    if (of !== fingerprint(tenant, parameters))
      return yield* invalid("The cursor belongs to a list with other parameters.")
    return yield* Schema.decodeUnknownEffect(place)(at).pipe(unreadable)
  }),
})
