import { expect, it } from "vitest"
import { REFUSAL_REASONS } from "#schemas/refusal.ts"
import { count, makeWriterMetrics, observe } from "./metrics.ts"
import { renderWriterMetrics } from "./prometheus.ts"

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*"
const SAMPLE = new RegExp(`^(${NAME})(\\{${NAME}="[^"\\\\\\n]*"\\})? (-?[0-9.e+-]+)$`, "u")

it("every line is of Prometheus' text format, and every family is told once, before its samples", () => {
  const metrics = makeWriterMetrics()
  metrics.lagEvents = 7
  metrics.lagSeconds = 0.25
  metrics.committed = 9_007_199_254_740_991
  observe(metrics.insertSeconds, 1e-7)
  observe(metrics.insertSeconds, 3)
  observe(metrics.insertSeconds, 99)
  count(metrics.deadLetters, "invalid_json", 2)
  count(metrics.deadLetters, "too_large")
  count(metrics.doubts, "start")
  const text = renderWriterMetrics(metrics)
  expect(text.endsWith("\n")).toBe(true)
  const told = new Set<string>()
  const typed = new Map<string, string>()
  const wrong = text
    .trimEnd()
    .split("\n")
    .filter((line) => {
      const [, word, family = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.+)$/u.exec(line) ?? []
      if (word === "HELP") return told.has(family) || told.add(family) === undefined
      if (word === "TYPE") {
        const isSecond = typed.has(family)
        typed.set(family, rest)
        const type = family.endsWith("_total")
          ? "counter"
          : /(?:rows|seconds)$/u.test(family)
            ? rest
            : "gauge"
        return isSecond || !told.has(family) || rest !== type
      }
      const name = SAMPLE.exec(line)?.[1] ?? ""
      return !typed.has(name) && typed.get(name.replace(/_(?:bucket|sum|count)$/u, "")) !== "histogram"
    })
  expect(wrong).toEqual([])
  expect(typed.size).toBe(told.size)
  expect(text).toContain('\ntidemark_dead_letters_total{reason="invalid_json"} 2\n')
  expect(text).toContain('\ntidemark_dead_letters_total{reason="too_large"} 1\n')
  expect(text).toContain("\ntidemark_lag_events 7\n")
  const buckets = [...text.matchAll(/tidemark_insert_seconds_bucket\{le="([^"]+)"\} (\d+)/gu)]
  expect(buckets.map(([, bound, count]) => `${bound} ${count}`)).toEqual(
    expect.arrayContaining(["0.01 1", "2.5 1", "5 2", "10 2", "+Inf 3"]),
  )
  expect(text).toContain("\ntidemark_insert_seconds_count 3\n")
  expect(text).toContain("\ntidemark_committed_sequence 9007199254740991\n")
})

it("what is unknown is left out, which is not 0", () => {
  const metrics = makeWriterMetrics()
  expect(renderWriterMetrics(metrics)).not.toContain("tidemark_lag")
  metrics.lagEvents = 0
  metrics.lagSeconds = 0
  const text = renderWriterMetrics(metrics)
  expect(text).toContain("\ntidemark_lag_events 0\n")
  expect(text).toContain("\ntidemark_lag_seconds 0\n")
})

it("every reason and every cause is there from the start, so that the first of it is an increase", () => {
  const text = renderWriterMetrics(makeWriterMetrics())
  for (const reason of REFUSAL_REASONS)
    expect(text).toContain(`\ntidemark_dead_letters_total{reason="${reason}"} 0\n`)
  expect(text).toContain('\ntidemark_doubts_total{cause="insert_failed"} 0\n')
})
