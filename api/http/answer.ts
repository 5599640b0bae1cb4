import type { Context } from "hono"
import type { ContentfulStatusCode } from "hono/utils/http-status"

/** What a handler answers; `body` is sent as JSON, a string as plain text. */
export interface Answer {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export const ok = (body: unknown): Answer => ({ status: 200, body })
export const accepted = (body: unknown): Answer => ({ status: 202, body })

/** The response, with its length, which decides whether it is worth compressing. */
export const respond = (c: Context, { status, body, headers }: Answer, mediaType?: string): Response => {
  const text = typeof body === "string"
  const bytes = Buffer.from(text ? body : JSON.stringify(body))
  return c.body(bytes, status as ContentfulStatusCode, {
    "Content-Type": mediaType ?? (text ? "text/plain; charset=utf-8" : "application/json"),
    "Content-Length": String(bytes.byteLength),
    "Cache-Control": "no-store",
    ...headers,
  })
}
