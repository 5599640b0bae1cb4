import { Effect } from "effect"
import { tagOf } from "./entity-tag.ts"
import { type Refused, refuse } from "./failure.ts"

/** The strong entity tag of what a resource holds. */
export const entityTag = (held: unknown): string => tagOf(JSON.stringify(held))

/** Of answers that carry it. */
export const TAG = { ETag: "Of what is held, for `If-Match`." }

/** For endpoints that look at it. */
export const IF_MATCH = {
  "If-Match":
    "The ETag of what one has seen: the change is refused when it is no longer so. Without it the last change wins.",
}

/** Fails when the request names tags in `If-Match`, and that of what is held is none of them. */
export const checkIfMatch = (request: Request, held: unknown): Effect.Effect<void, Refused> => {
  const header = request.headers.get("If-Match")
  if (header === null) return Effect.void
  const tags = new Set(header.split(",").map((tag) => tag.trim()))
  return tags.has("*") || tags.has(entityTag(held))
    ? Effect.void
    : Effect.fail(
        refuse("precondition_failed", "It was changed since it was read.", {
          hint: "Read it again, and send the change with the ETag of that answer.",
        }),
      )
}
