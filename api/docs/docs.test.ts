import { createHash } from "node:crypto"
import { beforeAll, describe, expect, it } from "vitest"
import { type Got, testApp } from "../test-app.ts"

const { call } = testApp()
let got: Got
beforeAll(async () => {
  got = await call("/docs")
})

const every = (pattern: RegExp): ReadonlyArray<string> =>
  [...String(got.body).matchAll(pattern)].map(([, text = ""]) => text)
const hash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`

describe("the page", () => {
  it("is open to everybody, as HTML that is not guessed at", () => {
    expect(got.status).toBe(200)
    expect(got.headers.get("Content-Type")).toBe("text/html; charset=utf-8")
    expect(got.headers.get("X-Content-Type-Options")).toBe("nosniff")
  })

  it("may run what stands in it and nothing else", () => {
    const policy = got.headers.get("Content-Security-Policy")
    const [script = ""] = every(/<script type="module">([^]*?)<\/script>/gu)
    const [style = ""] = every(/<style>([^]*?)<\/style>/gu)
    expect(script.length).toBeGreaterThan(1000)
    expect(policy?.split("; ")).toEqual([
      "default-src 'none'",
      `script-src ${hash(script)}`,
      `style-src ${hash(style)}`,
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ])
    expect(every(/<(script|style|link|img|iframe|object)\b/gu)).toEqual(["style", "script"])
    // What the policy would refuse.
    expect(String(got.body)).not.toMatch(/ (?:style|on\w+)="|javascript:|eval\(|innerHTML/u)
  })

  it("asks no other server for anything", () => {
    expect(String(got.body)).not.toMatch(/https?:\/\/|"\/\//u)
    const addresses = [...every(/(?:href|src)="([^"]*)"/gu), ...every(/fetch\("([^"]*)"/gu)]
    expect(new Set(addresses)).toEqual(new Set(["/openapi.json"]))
  })

  it("shows areas, marks what is required, begins with an example and saves a file as one", () => {
    const [script = ""] = every(/<script type="module">([^]*?)<\/script>/gu)
    for (const use of ["specification.tags", 'required: ""', "example", "createObjectURL", "download: name"])
      expect(script).toContain(use)
  })

  it("has every element that its script looks for", () => {
    const wanted = every(/querySelector\("#(\w+)"\)/gu)
    expect(wanted.length).toBeGreaterThan(3)
    expect(every(/ id="(\w+)"/gu)).toEqual(expect.arrayContaining([...wanted]))
  })
})
