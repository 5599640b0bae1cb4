import { expect, it } from "vitest"
import { newTenant, testApp } from "../test-app.ts"
import { exportCalls, startWorker } from "./test-exporter.ts"

const { call, keyFor } = testApp()
const { posted, ended } = exportCalls(call)

/** The value of a series; others' exports are counted, too. */
const valueOf = async (name: string, ...labels: ReadonlyArray<string>): Promise<number> => {
  const { body } = await call("/metrics")
  const found = String(body)
    .split("\n")
    .find((line) => line.startsWith(`${name}{`) && labels.every((label) => line.includes(label)))
  return Number(found?.split(" ").at(-1) ?? 0)
}

const valuesNow = async (): Promise<ReadonlyArray<number>> => {
  const format = 'format="ndjson"'
  return [
    await valueOf("export_jobs_total", format, 'state="completed"'),
    await valueOf("export_rows_total", format),
    await valueOf("export_bytes_total", format),
    await valueOf("export_duration_seconds_count", format),
  ]
}

it("what exports made is counted", async () => {
  await startWorker()
  const key = await keyFor(newTenant())
  const before = await valuesNow()
  for (let at = 0; at < 2; at++) await ended(key, await posted(key, { format: "ndjson" }))
  const after = await valuesNow()
  expect(after.map((value, at) => value - (before[at] ?? 0))).toEqual([2, 2000, 2 * 9890, 2])
})
