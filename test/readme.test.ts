// README.md names files, commands, settings, calls, metrics and statements; here each is held to the code.
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, inject, it } from "vitest"
import { decodeAction, decodeDirectory } from "#schemas/decode.ts"
import { CATALOGUE } from "#schemas/catalogue.ts"
import { testApp } from "../api/test-app.ts"
import { readSettings } from "../deploy/settings.ts"
import packageJson from "../package.json" with { type: "json" }
import { makeProcessMetrics, metricsOf } from "../pipeline/writer/metrics.ts"
import { renderWriterMetrics } from "../pipeline/writer/prometheus.ts"
import { ask } from "./ask-store.ts"
import { asBiUser, BI_TENANTS } from "./bi-users.ts"
import { ROOT } from "./compose.ts"

const README = readFileSync(join(ROOT, "README.md"), "utf8")

const { call } = testApp()

const every = (pattern: RegExp, text = README): ReadonlyArray<string> =>
  [...text.matchAll(pattern)].map(([whole, first]) => first ?? whole)

/** The code blocks of a language. */
const blocks = (language: string): ReadonlyArray<string> =>
  every(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, "gmu"))

const section = (title: string): string => README.split(`\n## ${title}\n`)[1]?.split("\n## ")[0] ?? ""

/** The cells of a table's rows, without the head. */
const rows = (text: string): ReadonlyArray<ReadonlyArray<string>> =>
  text
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => line.split("|").map((cell) => cell.trim().replaceAll("`", "")))

describe("files", () => {
  const paths = new Set(
    every(/`((?:schemas|migrations|pipeline|api|deploy|test|bench)\/[\w./-]*)`/gu).concat(
      every(/\]\(([A-Z]+\.md)\)/gu),
    ),
  )
  it.each([...paths])("%s is there", (path) => {
    expect(existsSync(join(ROOT, path))).toBe(true)
  })
  it("are named in some number", () => {
    expect(paths.size).toBeGreaterThan(50)
  })
})

it("npm scripts exist", () => {
  const named = new Set(every(/npm run (?:-s )?([\w:]+)/gu).concat(every(/npm (test|start)\b/gu)))
  expect([...named]).toEqual(expect.arrayContaining(["demo", "tidemark", "test", "start", "bench"]))
  expect(Object.keys(packageJson.scripts)).toEqual(expect.arrayContaining([...named]))
})

describe("the settings", () => {
  const table = rows(section("Settings")).map(([, name = "", value = ""]) => [name, value] as const)
  const settings = table.filter(([name]) => name !== "TEST_TARGET")

  it("are all in the table, and nothing else is", () => {
    const asked = new Set<string>()
    readSettings(
      new Proxy<NodeJS.ProcessEnv>(
        {},
        {
          get: (_, name) => {
            asked.add(String(name))
            return undefined
          },
        },
      ),
    )
    expect(settings.map(([name]) => name).toSorted()).toEqual([...asked].toSorted())
  })

  it.each(settings.filter(([, value]) => value !== ""))("%s is %s when it is absent", (name, value) => {
    expect(readSettings({ [name]: value })).toEqual(readSettings({}))
  })

  it.each(settings.filter(([, value]) => value === ""))("%s has no default", (name) => {
    // What is of no use without the others is given beside them.
    const others = name.startsWith("EXPORT_S3_")
      ? { EXPORT_S3_BUCKET: "b", EXPORT_S3_ACCESS_KEY_ID: "k", EXPORT_S3_SECRET_ACCESS_KEY: "s" }
      : name.startsWith("OTEL_")
        ? { OTEL_EXPORTER_OTLP_ENDPOINT: "http://y:1" }
        : {}
    const isAddress = /_(?:URL|ENDPOINT)$/u.test(name)
    const other = isAddress
      ? `${name === "NATS_URL" ? "nats" : "http"}://x:1`
      : name.endsWith("_HEADERS")
        ? "x=y"
        : "x".repeat(16)
    expect(readSettings({ ...others, [name]: other })).not.toEqual(readSettings(others))
  })
})

it("the calls are those of the specification", async () => {
  const { body } = await call("/openapi.json")
  const served = Object.entries(body.paths as Record<string, object>).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  )
  const named = rows(section("HTTP API")).map(([, name = ""]) => name)
  expect(named.toSorted()).toEqual(served.toSorted())
})

it("the addresses of the examples are calls with their own parameters", async () => {
  const { body } = await call("/openapi.json")
  const addresses = every(/\$API(\/[^"\s]+)/gu)
  expect(addresses.length).toBeGreaterThan(5)
  for (const address of addresses) {
    const url = new URL(address.replace("$RANGE", "from=2026-11-01&to=2026-11-30"), "http://readme")
    const template = Object.keys(body.paths).find((path) =>
      new RegExp(`^${path.replaceAll(/\{\w+\}/gu, "[^/]+")}$`, "u").test(url.pathname),
    )
    const operations = Object.values(body.paths[template ?? ""] ?? {}) as ReadonlyArray<{
      readonly parameters: ReadonlyArray<{ readonly name: string }>
    }>
    const known = operations.flatMap(({ parameters }) => parameters.map(({ name }) => name))
    expect(operations, address).not.toEqual([])
    expect(known, address).toEqual(expect.arrayContaining([...url.searchParams.keys()]))
  }
})

it("the writer's metrics exist", () => {
  const process = makeProcessMetrics()
  const metrics = metricsOf(process, "ACTIONS")
  metrics.lagEvents = metrics.lagSeconds = 0
  metrics.doubts.set("start", 1)
  process.openLetters = { count: 0, oldest: undefined }
  const names = new Set(every(/`(tidemark_[a-z_]+(?:_total|_events|_seconds|_owner|_open))`/gu))
  expect(names.size).toBeGreaterThan(5)
  for (const name of names) expect(renderWriterMetrics(process)).toContain(`\n# TYPE ${name} `)
})

describe("the events", () => {
  const judge = (event: object) => {
    const { tenantid, type } = event as { readonly tenantid: string; readonly type: string }
    const arrival = {
      payload: Buffer.from(JSON.stringify(event)),
      tenant: tenantid,
      type,
      messageId: undefined,
      checkRoute: false,
      receivedAt: Date.parse("2026-11-22T12:00:00Z"),
    }
    const isAction = CATALOGUE.actions.some((action) => action.type === type)
    const decoded = isAction
      ? decodeAction(arrival, { maxClockAhead: 0, maxAge: 86_400_000 })
      : decodeDirectory(arrival, { maxClockAhead: 0 })
    return decoded.ok ? "ok" : `${decoded.reason}: ${decoded.detail}`
  }
  const events = blocks("sh")
    .flatMap((block) => [
      ...every(/<<'JSON'\n([\s\S]*?)^JSON$/gmu, block),
      ...every(/^\{"specversion".*\}$/gmu, block),
      ...every(/'(\{"specversion".*\})'/gu, block),
    ])
    .map((text) => JSON.parse(text) as { readonly id: string })

  it("are taken, but for the one that shows a refusal", () => {
    expect(events.length).toBe(8)
    for (const event of events)
      expect([event.id, judge(event)]).toEqual([
        event.id,
        event.id === "e-2" ? "missing_reference: cv.downloaded needs data.candidate_id" : "ok",
      ])
    expect(README).toContain('"code":"missing_reference","detail":"cv.downloaded needs data.candidate_id"')
  })
})

it("the modules of the TypeScript example have what it imports", async () => {
  const imports = blocks("ts").flatMap((block) => [...block.matchAll(/import \{ (.*) \} from "(.*)"/gu)])
  expect(imports).toHaveLength(3)
  for (const [, names = "", module = ""] of imports) {
    const exported = (await import(module)) as Record<string, unknown>
    expect(Object.keys(exported), module).toEqual(expect.arrayContaining(names.split(", ")))
  }
})

describe("the queries", () => {
  const queries = blocks("sql")

  it("are there", () => {
    expect(queries).toHaveLength(1)
  })

  it.each(queries)("run as the reader: %#", async (query) => {
    const response = await fetch(inject("clickhouseUrl"), {
      method: "POST",
      body: query,
      headers: { "X-ClickHouse-User": "tidemark_reader", "X-ClickHouse-Key": "" },
    })
    const answer = await response.text()
    expect(response.status, answer).toBe(200)
  })
})

it("the views of bi are those that BI users may read", async () => {
  const named = rows(section("BI tools").split("### ")[0] ?? "").flatMap(([, names = ""]) =>
    names.split(", "),
  )
  const views = await ask("SELECT name FROM system.tables WHERE database = 'bi'", asBiUser(BI_TENANTS.ours))
  expect(named.toSorted()).toEqual(views.map(({ name }) => String(name)).toSorted())
})
