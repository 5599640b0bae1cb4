import { beforeAll, expect, it } from "vitest"
import { newTenant, testApp } from "../test-app.ts"
import { putActions, putTenant, putUsers } from "../test-rows.ts"

const { call, keyFor } = testApp()
const tenant = newTenant()
const PATH = "/v1/reports/user-insights/summary?from=2026-10-01&to=2026-10-31"
let key: string

const act = (id: string) =>
  putActions(tenant, "UTC", [
    { id, type: "contact.created", time: "2026-10-10T10:00:00.000Z", actor_id: "u_1" },
  ])
const ask = (known: string) => call(PATH, key, { headers: { "If-None-Match": known } })

beforeAll(async () => {
  key = await keyFor(tenant)
  await putTenant(tenant, "UTC")
  await putUsers(tenant, { u_1: {} })
  await act("a")
})

it("a report that has not changed is not sent again", async () => {
  const first = await call(PATH, key)
  const tag = first.headers.get("ETag") ?? ""
  expect(tag).toMatch(/^W\/"[\w-]{22}"$/u)
  for (const known of [tag, tag.slice(2), `"other", ${tag}`, "*"]) {
    const again = await ask(known)
    expect({ status: again.status, body: again.body }).toEqual({ status: 304, body: "" })
    expect(again.headers.get("ETag")).toBe(tag)
  }
})

it("a report that has changed is, with all its parts", async () => {
  const first = await call(PATH, key)
  await act("b")
  const second = await ask(first.headers.get("ETag") ?? "")
  expect(second.status).toBe(200)
  expect(second.body.data.contacts_created.value).toBe(first.body.data.contacts_created.value + 1)
  expect(second.body.meta.from).toBe("2026-10-01")
  expect(second.headers.get("ETag")).not.toBe(first.headers.get("ETag"))
})

it("a number beside the data counts, too", async () => {
  const first = await call(PATH, key)
  await putActions(tenant, "UTC", [
    { id: "c", type: "contact.created", time: "2026-10-10T10:00:00.000Z", actor_id: "nobody" },
  ])
  const second = await ask(first.headers.get("ETag") ?? "")
  expect(second.status).toBe(200)
  expect(second.body.data).toEqual(first.body.data)
  expect(second.body.meta.unknown_actors).toBe(first.body.meta.unknown_actors + 1)
})

it("a tag is told to be one tenant's", async () => {
  expect((await call(PATH, key)).headers.get("Vary")).toMatch(/\bAuthorization\b/u)
})

it("a request without a credential learns nothing from a tag", async () => {
  expect((await call(PATH, undefined, { headers: { "If-None-Match": "*" } })).status).toBe(401)
})
