// Alerts, the pages that say what to do about them, and the metrics that they ask for, held to each other.
import { spawnSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { parse } from "yaml"
import { testApp } from "../../api/test-app.ts"
import { makeAuditMetrics } from "../../pipeline/audit/metrics.ts"
import { renderAuditMetrics } from "../../pipeline/audit/prometheus.ts"
import { count, makeProcessMetrics, metricsOf } from "../../pipeline/writer/metrics.ts"
import { renderWriterMetrics } from "../../pipeline/writer/prometheus.ts"

const FILE = join(import.meta.dirname, "tidemark.yaml")
const CASES = join(import.meta.dirname, "cases.yaml")
const RUNBOOK = join(import.meta.dirname, "..", "runbook")
const HEADINGS = ["What it means", "How to see it", "What to do", "How to know it is over"]

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly for: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly runbook_url: string }
}
const { groups } = parse(readFileSync(FILE, "utf8")) as {
  readonly groups: ReadonlyArray<{ readonly rules: ReadonlyArray<Rule> }>
}
const rules = groups.flatMap((group) => group.rules)

const { call } = testApp()

/** Everything that a running system shows, once each thing that it counts has happened. */
const exported = async (): Promise<ReadonlySet<string>> => {
  const process = makeProcessMetrics()
  const writer = metricsOf(process, "ACTIONS")
  Object.assign(writer, { lagEvents: 0, lagSeconds: 0, committed: 0, secondsToLoss: 1, maxAge: 1 })
  count(writer.deadLetters, "invalid_json")
  count(writer.batches, "time")
  count(writer.doubts, "start")
  const audit = makeAuditMetrics()
  Object.assign(audit, { differences: 0, endedAt: 0, seconds: 0 })
  audit.proved.set("ACTIONS", 1)
  process.openLetters = { count: 0, oldest: undefined }
  await call("/healthz")
  const api = (await call("/metrics")).body as string
  const text = renderWriterMetrics(process) + renderAuditMetrics(audit) + api
  return new Set([...text.matchAll(/^([a-z_]+)(?:\{| )/gmu)].map(([, name = ""]) => name).concat("up"))
}

describe.each(rules)("$alert", ({ alert, expr, labels, annotations }) => {
  it("asks for metrics that there are", async () => {
    const known = await exported()
    const asked = [...expr.matchAll(/\b(?:tidemark|http|process)_[a-z_]+\b|\bup\b/gu)].map(([name]) => name)
    expect(asked.length).toBeGreaterThan(0)
    expect(asked.filter((name) => !known.has(name))).toEqual([])
  })

  it("has a severity, and a page with what it means and what to do", () => {
    expect(["warning", "critical"]).toContain(labels.severity)
    expect(annotations.runbook_url).toBe(`deploy/runbook/${alert}.md`)
    const page = readFileSync(join(RUNBOOK, `${alert}.md`), "utf8")
    expect([...page.matchAll(/^## (.+)$/gmu)].map(([, heading]) => heading)).toEqual(HEADINGS)
    for (const part of page.split(/^## .+$/mu).slice(1)) expect(part.trim().length).toBeGreaterThan(15)
  })
})

it("every page has its alert, and the index names all", () => {
  const pages = readdirSync(RUNBOOK).filter((name) => name !== "README.md")
  expect(pages.toSorted()).toEqual(rules.map(({ alert }) => `${alert}.md`).toSorted())
  const index = readFileSync(join(RUNBOOK, "README.md"), "utf8")
  for (const page of pages) expect(index).toContain(`(${page})`)
})

const hasPromtool = spawnSync("promtool", ["--version"]).status === 0

it.skipIf(!hasPromtool)("Prometheus itself takes the rules", () => {
  const { status, stderr } = spawnSync("promtool", ["check", "rules", FILE], { encoding: "utf8" })
  expect(stderr).toBe("")
  expect(status).toBe(0)
})

it.skipIf(!hasPromtool)("fire when they should, and not when they should not", () => {
  const { status, stdout } = spawnSync("promtool", ["test", "rules", CASES], { encoding: "utf8" })
  expect(stdout).toContain("SUCCESS")
  expect(status).toBe(0)
})
