/** Bytes of a file from the first to the last, both of them in it. */
export interface ByteRange {
  readonly first: number
  readonly last: number
}

const RANGE = /^bytes=(\d{0,15})-(\d{0,15})$/iu

/**
 * What a `Range` header asks of a file of this size (RFC 9110, 14.2): undefined for the whole file, which is also the
 * answer to several ranges, other units and what cannot be read; "unsatisfiable" where the file has no such bytes.
 */
export const byteRangeOf = (
  header: string | undefined,
  size: number,
): ByteRange | "unsatisfiable" | undefined => {
  const [, from = "", to = ""] = RANGE.exec(header ?? "") ?? []
  if (from === "" && to === "") return undefined
  if (from === "") {
    const length = Math.min(Number(to), size)
    return length === 0 ? "unsatisfiable" : { first: size - length, last: size - 1 }
  }
  const first = Number(from)
  const last = to === "" ? size - 1 : Math.min(Number(to), size - 1)
  if (to !== "" && Number(to) < first) return undefined
  return first < size ? { first, last } : "unsatisfiable"
}
