import { isUtf8 } from "node:buffer"

/** What a JSON text held, or why it could not be read. */
export type Parsed =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly detail: string }

/** Nesting beyond which nobody's event goes; recursion over a value stays far from the stack's end. */
const MAX_DEPTH = 64

interface Shape {
  /** How many `"key": value` the text has. */
  readonly members: number
  /** The greatest nesting. */
  readonly depth: number
  /** Whether a backslash stands in a string. */
  readonly escapes: boolean
}

/** Looks at the bytes of a text that is known to be valid JSON; whatever has structure is ASCII. */
const shapeOf = (bytes: Uint8Array): Shape => {
  let members = 0
  let depth = 0
  let deepest = 0
  let escapes = false
  for (let i = 0, n = bytes.length; i < n; i++) {
    switch (bytes[i]) {
      case 0x22: // a string: on to its closing quote
        for (i++; i < n && bytes[i] !== 0x22; i++)
          if (bytes[i] === 0x5c) {
            escapes = true
            i++
          }
        break
      case 0x3a: // :
        members++
        break
      case 0x7b: // {
      case 0x5b: // [
        if (++depth > deepest) deepest = depth
        break
      case 0x7d: // }
      case 0x5d: // ]
        depth--
        break
    }
  }
  return { members, depth: deepest, escapes }
}

/** How many members a value has all in all, or NaN when a number in it overflowed to infinity. */
const membersOf = (value: unknown): number => {
  if (typeof value === "number") return Number.isFinite(value) ? 0 : Number.NaN
  if (typeof value !== "object" || value === null) return 0
  let members = 0
  if (Array.isArray(value)) for (const item of value) members += membersOf(item)
  else
    for (const key in value) {
      const inner = (value as Record<string, unknown>)[key]
      members += typeof inner === "string" ? 1 : 1 + membersOf(inner)
    }
  return members
}

/** True when a string somewhere in the value has half of a surrogate pair. */
const isTorn = (value: unknown): boolean => {
  if (typeof value === "string") return !value.isWellFormed()
  if (typeof value !== "object" || value === null) return false
  if (Array.isArray(value)) return value.some(isTorn)
  return Object.entries(value).some(([key, inner]) => !key.isWellFormed() || isTorn(inner))
}

/**
 * Reads a JSON text strictly, as I-JSON (RFC 7493): `JSON.parse` would silently mend bytes that are no UTF-8 and a
 * key that stands twice in one object, and lets through half surrogates and numbers beyond a double, which no
 * store keeps as they were sent. A repeated key is seen by counting: the text has more members than its value.
 */
export const parseJson = (bytes: Uint8Array): Parsed => {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8")
  // Bytes that are no UTF-8 became this character; most texts have none, and the search for it is free in them.
  if (text.includes("\uFFFD") && !isUtf8(bytes))
    return { ok: false, detail: "the payload is not valid UTF-8" }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { ok: false, detail: "the payload is not valid JSON" }
  }
  const { members, depth, escapes } = shapeOf(bytes)
  if (depth > MAX_DEPTH) return { ok: false, detail: `nested deeper than ${MAX_DEPTH} levels` }
  const kept = membersOf(value)
  if (Number.isNaN(kept)) return { ok: false, detail: "a number is too large for a double" }
  if (kept !== members) return { ok: false, detail: "a key stands twice in one object" }
  // Bytes that are UTF-8 have no half surrogates, so only an escape can have brought one.
  if (escapes && isTorn(value)) return { ok: false, detail: "a string holds half of a surrogate pair" }
  return { ok: true, value }
}
