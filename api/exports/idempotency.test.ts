import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { Nats } from "#nats/connection.ts"
import { exportSubject, STREAMS } from "#schemas/names.ts"
import { createKey } from "../auth/keys.ts"
import { expectProblem, newTenant, testApp } from "../test-app.ts"
import { exportCalls, linesText, startWorker } from "./test-exporter.ts"

const { call, keyFor, run } = testApp()
const { post, ended, download, list } = exportCalls(call)

const queued = (tenant: string): Promise<number> =>
  run(
    Effect.flatMap(Nats, ({ manager }) =>
      Effect.promise(async () => {
        const subject = exportSubject(tenant)
        const { state } = await manager.streams.info(STREAMS.exports, { subjects_filter: subject })
        return state.subjects?.[subject] ?? 0
      }),
    ),
  )

describe("an Idempotency-Key", () => {
  it("that comes twenty times at once makes one job and one file", async () => {
    const tenant = newTenant()
    const key = await keyFor(tenant)
    const header = { "Idempotency-Key": "november" }
    const all = await Promise.all(Array.from({ length: 20 }, () => post(key, {}, header)))
    expect(all.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 202))
    const ids = new Set(all.map(({ body }) => body.data.id))
    expect(ids.size).toBe(1)
    expect(await queued(tenant)).toBe(1)
    const { files } = await startWorker()
    const [id = ""] = ids
    expect(await ended(key, id)).toMatchObject({ state: "completed", attempts: 1 })
    expect((await list(key)).body.data).toHaveLength(1)
    const names = await Array.fromAsync(files.list())
    expect(names.filter((name) => name.startsWith(tenant))).toEqual([`${tenant}.${id}.1`])

    const again = await post(key, {}, header)
    expect(again.body.data).toMatchObject({ id, state: "completed" })
    expect(again.headers.get("Location")).toBe(`/v1/exports/${id}`)
    expect((await download(key, id)).body).toBe(linesText(1000))
  })

  it("belongs to what was asked with it, in whatever order", async () => {
    const key = await keyFor(newTenant())
    const header = { "Idempotency-Key": "a" }
    const first = await post(key, { client_id: ["c_1", "c_2"] }, header)
    const same = await post(key, { client_id: ["c_2", "c_1", "c_1"] }, header)
    expect(same.body.data.id).toBe(first.body.data.id)
    for (const other of [{ client_id: "c_1" }, { format: "ndjson" }, { gzip: true }, { to: "2026-11-08" }])
      expectProblem(await post(key, other, header), "idempotency_key_reused", 422)
    expect((await list(key)).body.data).toHaveLength(1)
  })

  it("of somebody else shows nothing of theirs", async () => {
    const tenant = newTenant()
    const header = { "Idempotency-Key": "a" }
    await post(await keyFor(tenant), {}, header)
    const other = await keyFor(tenant)
    const refused = await post(other, {}, header)
    expectProblem(refused, "idempotency_key_reused", 422)
    expect(refused.body).not.toHaveProperty("data")
  })

  it("is the same for another key of the same user", async () => {
    const tenant = newTenant()
    const make = () => run(createKey({ tenant, role: "super_admin", user: "u_1" }))
    const header = { "Idempotency-Key": "a" }
    const one = await post(await make(), {}, header)
    const other = await post(await make(), {}, header)
    expect(other.body.data.id).toBe(one.body.data.id)
  })

  it("is each tenant's own", async () => {
    const header = { "Idempotency-Key": "a" }
    const [one, other] = await Promise.all(
      [newTenant(), newTenant()].map(async (tenant) => post(await keyFor(tenant), {}, header)),
    )
    expect(one?.body.data.id).not.toBe(other?.body.data.id)
  })

  it.each(["", "x".repeat(256), "é"])("%j is refused", async (value) => {
    const key = await keyFor(newTenant())
    expectProblem(await post(key, {}, { "Idempotency-Key": value }), "invalid_parameter", 400)
  })
})

it("without a key every request is an export of its own", async () => {
  const key = await keyFor(newTenant())
  const all = await Promise.all(Array.from({ length: 3 }, () => post(key)))
  expect(new Set(all.map(({ body }) => body.data.id)).size).toBe(3)
})

describe("the body", () => {
  it.each([
    [{ format: "pdf" }, "format"],
    [{ from: "2026-11-31" }, "from"],
    [{ to: "2026-10-01" }, "to"],
    [{ format: "xlsx", gzip: true }, "gzip"],
    [{ format: "ndjson", csv: { bom: true } }, "csv"],
    [{ csv: { quote: "'" } }, "csv.quote"],
    [{ colour: "red" }, "colour"],
    [{ limit: 5 }, "limit"],
    [{ team_id: ["t"] }, "team_id"],
    [{ report: "salaries" }, "report"],
  ])("%j is refused", async (body, place) => {
    const key = await keyFor(newTenant())
    const got = await post(key, body)
    expectProblem(got, "invalid_body", 400)
    expect(JSON.stringify(got.body.errors)).toContain(place)
  })

  it("may ask for the users report with its own filters", async () => {
    const key = await keyFor(newTenant())
    const { status, body } = await post(key, {
      report: "user_insights",
      team_id: ["t_1"],
      license_basis: "any",
    })
    expect(status).toBe(202)
    expect(body.data.manifest.request).toMatchObject({ report: "user_insights", team_id: ["t_1"] })
  })
})

it("a tenant has so many exports under way and no more", async () => {
  const tenant = newTenant()
  const key = await keyFor(tenant)
  for (let at = 0; at < 100; at += 20) await Promise.all(Array.from({ length: 20 }, () => post(key)))
  const refused = await post(key)
  expectProblem(refused, "too_many_exports", 429)
  expect(refused.headers.get("Retry-After")).toBe("30")
  expect((await post(await keyFor(newTenant()))).status).toBe(202)
})
