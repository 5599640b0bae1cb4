import { createHash } from "node:crypto"

/** The entity tag of a text, quoted as headers have it. */
export const tagOf = (text: string): string =>
  `"${createHash("sha256").update(text).digest("base64url").slice(0, 22)}"`

/** Entity tags of an `If-None-Match`, weak or strong. */
export const tagsIn = (header: string): ReadonlyArray<string> =>
  header.split(",").map((tag) => tag.trim().replace(/^W\//u, ""))
