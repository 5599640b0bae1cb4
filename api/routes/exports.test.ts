import { createHash } from "node:crypto"
import { describe, expect, it } from "vitest"
import type { Export } from "#schemas/export-job.ts"
import { awaitExport, lines, linesText, REQUEST, workers } from "../exports/test-exporter.ts"
import { expectProblem, newTenant, testApp } from "../test-app.ts"

const { call, keyFor, app } = testApp()
const startWorker = workers()

const post = (key: string, body: object = REQUEST, headers: Record<string, string> = {}) =>
  call("/v1/exports", key, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "Content-Type": "application/json", ...headers },
  })

const download = (key: string, id: string, headers: Record<string, string> = {}) =>
  call(`/v1/exports/${id}/download`, key, { headers })

const completed = async (key: string, id: string): Promise<Export> =>
  awaitExport(
    () => call(`/v1/exports/${id}`, key),
    ({ state }) => state === "completed",
  )

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex")

describe("an export", () => {
  it("is queued, made and downloaded", async () => {
    const key = await keyFor(newTenant())
    const asked = await post(key)
    expect(asked.status).toBe(202)
    const { id } = asked.body.data
    expect(asked.headers.get("Location")).toBe(`/v1/exports/${id}`)
    expect(asked.body.data).toMatchObject({ state: "queued", progress: 0, sha256: null, failure: null })
    expectProblem(await download(key, id), "export_not_ready", 409)

    const worker = await startWorker({ render: lines(1000) })
    const made = await completed(key, id)
    await worker.stop()
    const text = linesText(1000)
    expect(made).toMatchObject({
      rows: 1000,
      bytes: text.length,
      sha256: sha256(text),
      progress: 1,
      attempts: 1,
    })
    expect(Date.parse(made.expires_at ?? "") - Date.parse(made.ended_at ?? "")).toBe(60_000)

    const got = await download(key, id)
    expect(got.status).toBe(200)
    expect(got.body).toBe(text)
    expect(Object.fromEntries(got.headers)).toMatchObject({
      "content-length": String(text.length),
      "content-type": "text/csv; charset=utf-8; header=present",
      etag: `"${sha256(text)}"`,
      "accept-ranges": "bytes",
    })
    expect(got.headers.get("Content-Disposition")).toMatch(
      /^attachment; filename="t-[0-9a-f]+_user_actions_2026-11-01_2026-11-07\.csv"$/u,
    )
    const list = await call("/v1/exports", key)
    expect(list.body.data.map((job: Export) => job.id)).toEqual([id])
    void app
  })
})
