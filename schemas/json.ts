import { isUtf8 } from "node:buffer"

/** What a JSON text held, or why it could not be read. */
export type Parsed =
  | { readonly ok: true; readonly value: unknown; readonly depth: number }
  | { readonly ok: false; readonly detail: string }

const QUOTE = 34
const BACKSLASH = 92
const COLON = 58

/** Counts the members (`"key": value`) and the greatest nesting of a text that is known to be valid JSON. */
const shapeOf = (text: string): { members: number; depth: number } => {
  let members = 0
  let depth = 0
  let deepest = 0
  for (let i = 0, n = text.length; i < n; i++) {
    const c = text.charCodeAt(i)
    if (c === QUOTE) {
      for (i++; ; i++) {
        const inner = text.charCodeAt(i)
        if (inner === QUOTE) break
        if (inner === BACKSLASH) i++
      }
    } else if (c === COLON) members++
    else if (c === 123 || c === 91) {
      if (++depth > deepest) deepest = depth
    } else if (c === 125 || c === 93) depth--
  }
  return { members, depth: deepest }
}

const membersOf = (value: unknown): number => {
  if (typeof value !== "object" || value === null) return 0
  let members = 0
  if (Array.isArray(value)) for (const item of value) members += membersOf(item)
  else
    for (const key in value) {
      members++
      const inner = (value as Record<string, unknown>)[key]
      if (typeof inner === "object" && inner !== null) members += membersOf(inner)
    }
  return members
}

/** Nesting beyond which nobody's event goes; recursion over a value stays far from the stack's end. */
export const MAX_DEPTH = 64

/**
 * Reads a JSON text strictly: bytes that are no UTF-8 and a key that stands twice in one object are errors,
 * which `JSON.parse` would silently mend. A repeated key is seen by counting: the text has more members than
 * the value that came of it.
 */
export const parseJson = (bytes: Uint8Array): Parsed => {
  if (!isUtf8(bytes)) return { ok: false, detail: "the payload is not valid UTF-8" }
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8")
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { ok: false, detail: "the payload is not valid JSON" }
  }
  const { members, depth } = shapeOf(text)
  if (depth <= MAX_DEPTH && membersOf(value) !== members)
    return { ok: false, detail: "a key stands twice in one object" }
  return { ok: true, value, depth }
}
