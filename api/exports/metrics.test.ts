import { expect, it } from "vitest"
import { newTenant, testApp } from "../test-app.ts"
import { exportCalls, startWorker } from "./test-exporter.ts"

const { call, keyFor } = testApp()
const { posted, ended } = exportCalls(call)

/** The value of a series of the NDJSON exports, which no other test makes. */
const valueOf = async (name: string, ...labels: ReadonlyArray<string>): Promise<number> => {
  const { body } = await call("/metrics")
  const found = String(body)
    .split("\n")
    .find((line) => line.startsWith(`${name}{`) && labels.every((label) => line.includes(label)))
  return Number(found?.split(" ").at(-1) ?? Number.NaN)
}

it("what exports made is counted", async () => {
  await startWorker()
  const key = await keyFor(newTenant())
  for (let at = 0; at < 2; at++) await ended(key, await posted(key, { format: "ndjson" }))
  const format = 'format="ndjson"'
  expect(await valueOf("export_jobs_total", format, 'state="completed"')).toBe(2)
  expect(await valueOf("export_rows_total", format)).toBe(2000)
  expect(await valueOf("export_bytes_total", format)).toBe(2 * 9890)
  expect(await valueOf("export_duration_seconds_count", format)).toBe(2)
})
