/** The exact bytes of each element, or what is wrong with the whole. */
export type Split =
  | { readonly ok: true; readonly events: ReadonlyArray<Uint8Array> }
  | { readonly ok: false; readonly detail: string }

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const NEWLINE = 0x0a
const OPEN = new Set([0x5b, 0x7b])
const CLOSE = new Set([0x5d, 0x7d])

const isBlank = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

const trim = (bytes: Uint8Array, from: number, to: number): Uint8Array => {
  let start = from
  let end = to
  while (start < end && isBlank(bytes[start])) start++
  while (end > start && isBlank(bytes[end - 1])) end--
  return bytes.subarray(start, end)
}

const malformed = (detail: string): Split => ({ ok: false, detail })

/**
 * Splits a JSON array into the bytes of its elements, unparsed: what is published is what was sent, byte for byte,
 * and one element that is no JSON spoils itself alone. The bytes of UTF-8 beyond ASCII never look like a bracket.
 */
export const splitArray = (bytes: Uint8Array, limit: number): Split => {
  let at = 0
  while (isBlank(bytes[at])) at++
  if (bytes[at] !== 0x5b) return malformed("The body is not a JSON array.")
  const events: Array<Uint8Array> = []
  let depth = 1
  let start = ++at
  for (; at < bytes.length; at++) {
    const byte = bytes[at] as number
    if (byte === QUOTE) {
      for (at++; at < bytes.length && bytes[at] !== QUOTE; at++) if (bytes[at] === BACKSLASH) at++
    } else if (OPEN.has(byte)) depth++
    else if (CLOSE.has(byte) && --depth === 0) break
    else if (byte === COMMA && depth === 1) {
      events.push(trim(bytes, start, at))
      if (events.length > limit) return { ok: true, events }
      start = at + 1
    }
  }
  if (bytes[at] !== 0x5d) return malformed("The JSON array has no end.")
  const last = trim(bytes, start, at)
  if (last.length > 0 || events.length > 0) events.push(last)
  if (events.some(({ length }) => length === 0)) return malformed("The JSON array has an empty place.")
  if (trim(bytes, at + 1, bytes.length).length > 0) return malformed("Something follows the JSON array.")
  return { ok: true, events }
}

/** Splits lines of JSON; blank ones do not count. */
export const splitLines = (bytes: Uint8Array, limit: number): Split => {
  const events: Array<Uint8Array> = []
  for (let start = 0; start < bytes.length && events.length <= limit;) {
    const newline = bytes.indexOf(NEWLINE, start)
    const end = newline === -1 ? bytes.length : newline
    const line = trim(bytes, start, end)
    if (line.length > 0) events.push(line)
    start = end + 1
  }
  return { ok: true, events }
}
