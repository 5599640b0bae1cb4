// Ids may be any characters, and the store has them in the order of their bytes, which is not that of JavaScript's texts.
import { beforeAll, expect, it } from "vitest"
import { newTenant, testApp } from "../test-app.ts"
import { putActions, putTargets, putTenant, putUsers } from "../test-rows.ts"

const { call, keyFor } = testApp()
const tenant = newTenant()
const USERS = ["a", "b", "z\u{1F600}", "\u{FF5E}x", "\u{1F600}y", "\u{E000}", "é"]
const PATH = "/v1/reports/targets?from=2026-10-01&to=2026-10-31"
let key: string

beforeAll(async () => {
  key = await keyFor(tenant)
  await putTenant(tenant, "UTC")
  await putUsers(tenant, Object.fromEntries(USERS.map((user) => [user, {}])))
  const target = { period: "month", holds_from: "2026-01-01", set_at: "2026-01-01T00:00:00.000Z" } as const
  await putTargets(tenant, [
    { ...target, event_id: "1", scope: "everyone", metric: "notes_logged", value: 10 },
    { ...target, event_id: "2", scope: "everyone", metric: "contacts_created", value: 5 },
  ])
  await putActions(
    tenant,
    "UTC",
    USERS.map((actor_id, n) => ({
      id: `e-${n}`,
      type: "note.logged",
      time: "2026-10-10T10:00:00.000Z",
      actor_id,
    })),
  )
})

it.each([1, 2, 3])("pages of %i hold every target once, whatever characters ids are of", async (limit) => {
  const all = (await call(PATH, key)).body.data
  expect(all).toHaveLength(2 * USERS.length)
  const paged: Array<unknown> = []
  let cursor = ""
  do {
    const { body } = await call(`${PATH}&limit=${limit}${cursor}`, key)
    expect(body.data.length).toBeGreaterThan(0)
    paged.push(...body.data)
    cursor = body.next_cursor === null ? "" : `&cursor=${encodeURIComponent(body.next_cursor)}`
  } while (cursor !== "")
  expect(paged).toEqual(all)
})
