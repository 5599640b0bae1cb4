import { expect, it } from "vitest"
import { count, makeWriterMetrics } from "./metrics.ts"
import { renderWriterMetrics } from "./prometheus.ts"

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*"
const SAMPLE = new RegExp(`^(${NAME})(\\{${NAME}="[^"\\\\\\n]*"\\})? (-?[0-9.e+-]+)$`, "u")

it("every line is of Prometheus' text format, and every family is told once, before its samples", () => {
  const metrics = makeWriterMetrics()
  metrics.lagEvents = 7
  metrics.lagSeconds = 0.25
  metrics.committed = 9_007_199_254_740_991
  metrics.insertSeconds = 1e-7
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
        return isSecond || !told.has(family) || rest !== (family.endsWith("_total") ? "counter" : "gauge")
      }
      return !typed.has(SAMPLE.exec(line)?.[1] ?? "")
    })
  expect(wrong).toEqual([])
  expect(typed.size).toBe(told.size)
  expect(text).toContain('\ntidemark_dead_letters_total{reason="invalid_json"} 2\n')
  expect(text).toContain('\ntidemark_dead_letters_total{reason="too_large"} 1\n')
  expect(text).toContain("\ntidemark_lag_events 7\n")
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
