import type { Context } from "hono"
import type { ContentfulStatusCode, StatusCode } from "hono/utils/http-status"
import { tagOf, tagsIn } from "./entity-tag.ts"

/** What a handler answers; `body` is sent as JSON, a string as plain text, a stream of bytes as it is. */
export interface Answer {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** What the audit log should say beyond the parameters and the body. */
  readonly record?: {
    /** The tenant concerned, when the operator asked. */
    readonly tenant?: string | undefined
    /** What was made, changed or given. */
    readonly subject?: string
    /** What a change replaced. */
    readonly before?: unknown
  }
}

export const ok = (body: unknown): Answer => ({ status: 200, body })
export const accepted = (body: unknown): Answer => ({ status: 202, body })

/** The response, with its length, which decides whether it is worth compressing. */
export const respond = (c: Context, { status, body, headers }: Answer, mediaType?: string): Response => {
  const common = { "Cache-Control": "no-store", ...headers }
  if (body === null) return c.body(null, status as StatusCode, common)
  if (body instanceof ReadableStream) return c.body(body, status as ContentfulStatusCode, common)
  const text = typeof body === "string"
  const bytes = Buffer.from(text ? body : JSON.stringify(body))
  return c.body(bytes, status as ContentfulStatusCode, {
    "Content-Type": mediaType ?? (text ? "text/plain; charset=utf-8" : "application/json"),
    "Content-Length": String(bytes.byteLength),
    ...common,
  })
}

const isReport = (body: unknown): body is { readonly meta: unknown } =>
  typeof body === "object" && body !== null && "data" in body && "meta" in body

/** What of `meta` changes with every call: times of the asking, and the request's name. */
const PASSING = new Set(["data_through", "request_id", "as_of", "until"])
const withoutPassing = (key: string, value: unknown): unknown => (PASSING.has(key) ? undefined : value)

/**
 * A report with a weak entity tag over everything but what changes with every call; 304 for whoever has the same numbers
 * already.
 */
export const respondTagged = (c: Context, answer: Answer): Response => {
  const { status, body, headers } = answer
  if (status !== 200 || !isReport(body)) return respond(c, answer)
  const { meta, ...rest } = body
  const text = JSON.stringify(rest)
  const tag = tagOf(`${text}${JSON.stringify(meta, withoutPassing)}`)
  const tagged = {
    ...headers,
    ETag: `W/${tag}`,
    "Cache-Control": "private, no-cache",
    // The same address has another answer for another tenant.
    Vary: "Authorization",
  }
  const known = tagsIn(c.req.header("If-None-Match") ?? "")
  if (known.includes(tag) || known.includes("*"))
    return respond(c, { status: 304, body: null, headers: tagged })
  const bytes = Buffer.from(`${text.slice(0, -1)},"meta":${JSON.stringify(meta)}}`)
  return c.body(bytes, 200, {
    "Content-Type": "application/json",
    "Content-Length": String(bytes.byteLength),
    ...tagged,
  })
}
