import { expect, it } from "vitest"
import { REFUSAL_REASONS } from "#schemas/refusal.ts"
import { count, makeProcessMetrics, metricsOf, observe } from "./metrics.ts"
import { renderWriterMetrics } from "./prometheus.ts"

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*"
const LABEL = `${NAME}="[^"\\\\\\n]*"`
const SAMPLE = new RegExp(`^(${NAME})(\\{${LABEL}(?:,${LABEL})*\\})? (-?[0-9.e+-]+)$`, "u")

it("every line is of Prometheus' text format, and every family is told once, before its samples", () => {
  const process = makeProcessMetrics()
  const metrics = metricsOf(process, "ACTIONS_0")
  metricsOf(process, "ACTIONS_1").lagEvents = 2
  metrics.lagEvents = 7
  metrics.lagSeconds = 0.25
  metrics.committed = 9_007_199_254_740_991
  observe(metrics.insertSeconds, 1e-7)
  observe(metrics.insertSeconds, 3)
  observe(metrics.insertSeconds, 99)
  count(metrics.deadLetters, "invalid_json", 2)
  count(metrics.deadLetters, "too_large")
  count(metrics.doubts, "start")
  const text = renderWriterMetrics(process)
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
  expect(text).toContain('\ntidemark_dead_letters_total{stream="ACTIONS_0",reason="invalid_json"} 2\n')
  expect(text).toContain('\ntidemark_dead_letters_total{stream="ACTIONS_0",reason="too_large"} 1\n')
  expect(text).toContain(
    '\ntidemark_lag_events{stream="ACTIONS_0"} 7\ntidemark_lag_events{stream="ACTIONS_1"} 2\n',
  )
  const buckets = [
    ...text.matchAll(/tidemark_insert_seconds_bucket\{stream="ACTIONS_0",le="([^"]+)"\} (\d+)/gu),
  ]
  expect(buckets.map(([, bound, count]) => `${bound} ${count}`)).toEqual(
    expect.arrayContaining(["0.01 1", "2.5 1", "5 2", "10 2", "+Inf 3"]),
  )
  expect(text).toContain('\ntidemark_insert_seconds_count{stream="ACTIONS_0"} 3\n')
  expect(text).toContain('\ntidemark_committed_sequence{stream="ACTIONS_0"} 9007199254740991\n')
})

it("what is unknown is left out, which is not 0", () => {
  const process = makeProcessMetrics()
  const metrics = metricsOf(process, "ACTIONS")
  expect(renderWriterMetrics(process)).not.toContain("tidemark_lag")
  metrics.lagEvents = 0
  metrics.lagSeconds = 0
  const text = renderWriterMetrics(process)
  expect(text).toContain('\ntidemark_lag_events{stream="ACTIONS"} 0\n')
  expect(text).toContain('\ntidemark_lag_seconds{stream="ACTIONS"} 0\n')
})

it("open dead letters are told with the age of the oldest, and not at all while they are unknown", () => {
  const process = makeProcessMetrics()
  expect(renderWriterMetrics(process)).not.toContain("open")
  process.openLetters = { count: 0, oldest: undefined }
  expect(renderWriterMetrics(process)).toContain("\ntidemark_dead_letters_open 0\n")
  expect(renderWriterMetrics(process)).toContain("\ntidemark_dead_letters_oldest_open_seconds 0\n")
  process.openLetters = { count: 2, oldest: Date.now() - 60_000 }
  const text = renderWriterMetrics(process)
  expect(text).toContain("\ntidemark_dead_letters_open 2\n")
  expect(Number(/\ntidemark_dead_letters_oldest_open_seconds (.+)\n/u.exec(text)?.[1])).toBeCloseTo(60, 0)
})

it("every reason and every cause is there from the start, so that the first of it is an increase", () => {
  const process = makeProcessMetrics()
  metricsOf(process, "ACTIONS")
  const text = renderWriterMetrics(process)
  for (const stream of ["ACTIONS", "DIRECTORY", "AUDIT"])
    for (const reason of REFUSAL_REASONS)
      expect(text).toContain(`\ntidemark_dead_letters_total{stream="${stream}",reason="${reason}"} 0\n`)
  expect(text).toContain('\ntidemark_doubts_total{stream="ACTIONS",cause="insert_failed"} 0\n')
})
