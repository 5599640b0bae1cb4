import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { Effect } from "effect"
import { type Route, route } from "../http/endpoint.ts"

const read = (name: string): string => readFileSync(new URL(name, import.meta.url), "utf8")

/** The page in one piece, and a policy that lets run what stands in it and nothing else. */
const assemble = () => {
  const style = read("./page.css")
  const script = read("./page.js")
  // Functions, as replacement texts have a syntax of their own.
  const page = read("./page.html")
    .replace(/<style>[^]*<\/style>/u, () => `<style>${style}</style>`)
    .replace(/<script type="module">[^]*<\/script>/u, () => `<script type="module">${script}</script>`)
  const hash = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`
  const policy = [
    "default-src 'none'",
    `script-src ${hash(script)}`,
    `style-src ${hash(style)}`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ")
  return { page, policy }
}

const { page, policy } = assemble()

export const docsRoute: Route = route(
  {
    method: "GET",
    path: "/docs",
    summary: "This specification as a page",
    description: "In one piece: it loads nothing but /openapi.json.",
    answers: { 200: { description: "A page for browsers.", content: "text/html" } },
  },
  () =>
    Effect.succeed({
      status: 200,
      body: page,
      headers: {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
      },
    }),
)
