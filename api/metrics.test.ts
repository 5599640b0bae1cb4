import { expect, it } from "vitest"
import { testApp } from "./test-app.ts"

const { app, call } = testApp()

const sampleOf = async (line: string): Promise<number> => {
  const { body } = await call("/metrics")
  const found = String(body)
    .split("\n")
    .find((text) => text.startsWith(`${line} `))
  return found === undefined ? 0 : Number(found.slice(line.length + 1))
}

it("requests are counted by the pattern of their route, their method and their status", async () => {
  const refused = 'http_requests_total{route="/v1/catalog",method="GET",status="401"}'
  const before = await sampleOf(refused)
  await call("/v1/catalog?x=1")
  await call("/v1/catalog?x=2")
  expect((await sampleOf(refused)) - before).toBe(2)
})

it("addresses that are not there are one line together", async () => {
  const line = 'http_requests_total{route="unmatched",method="GET",status="404"}'
  const before = await sampleOf(line)
  await call("/nowhere/1")
  await call("/nowhere/2")
  expect((await sampleOf(line)) - before).toBe(2)
  expect(String((await call("/metrics")).body)).not.toContain("nowhere")
})

it("are timed, and the process's memory is told", async () => {
  await call("/healthz")
  expect(
    await sampleOf('http_request_duration_seconds_count{route="/healthz",method="GET"}'),
  ).toBeGreaterThan(0)
  expect(await sampleOf("process_resident_memory_bytes")).toBeGreaterThan(1e7)
})

it("are in the text format of Prometheus", async () => {
  const response = await app().request("/metrics")
  expect(response.headers.get("Content-Type")).toContain("text/plain")
  const lines = (await response.text()).trimEnd().split("\n")
  const sample = /^[a-z_][a-z0-9_]*(?:\{[a-z_]+="[^"]*"(?:,[a-z_]+="[^"]*")*\})? (?:[0-9.e+-]+|NaN|\+Inf)$/u
  expect(lines.filter((line) => !line.startsWith("# ") && !sample.test(line))).toEqual([])
})
