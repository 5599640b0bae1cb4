import { setTimeout as pause } from "node:timers/promises"
import { Effect, Schema } from "effect"
import { beforeAll, describe, expect, it } from "vitest"
import { ApiKeys } from "#schemas/api-keys.ts"
import { auditRecords } from "../../test/audit-records.ts"
import { makeApp } from "../app.ts"
import { createKey } from "../auth/keys.ts"
import { ADMIN_KEY, expectProblem, newTenant, testApp } from "../test-app.ts"
import { eraseUsers, putUsers } from "../test-rows.ts"

const { call, keyFor, publisher, run, services } = testApp()
const tenant = newTenant()
const PATH = "/v1/api-keys"
let admin: string

const post = (body: object, key = admin) =>
  call(PATH, key, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  })
const remove = (id: string, key = admin, query = "") =>
  call(`${PATH}/${id}${query}`, key, { method: "DELETE" })
const ahead = (milliseconds: number): string => new Date(Date.now() + milliseconds).toISOString()

beforeAll(async () => {
  admin = await keyFor(tenant)
  await putUsers(tenant, { u_1: {}, u_client: { kind: "client" }, u_gone: {} })
  await eraseUsers(tenant, ["u_gone"])
})

describe("a key that was made", () => {
  it("is shown once, works at once, and is listed without its secret", async () => {
    const expires_at = ahead(3_600_000)
    const made = await post({ role: "member", user: "u_1", name: "Ana's tablet", expires_at })
    expect(made.status).toBe(201)
    const { key, data: shown } = made.body
    expect(shown).toEqual({
      id: expect.stringMatching(/^k_[0-9a-f]{20}$/u),
      tenant,
      role: "member",
      user: "u_1",
      name: "Ana's tablet",
      state: "active",
      created_at: expect.stringMatching(/Z$/u),
      created_by: expect.stringMatching(/^k_/u),
      expires_at,
      last_used_at: null,
      revoked_at: null,
      revoked_by: null,
    })
    expect(key).toMatch(new RegExp(`^tmk_${tenant}_`, "u"))
    expect((await call("/v1/catalog", key)).status).toBe(200)
    const read = await call(made.headers.get("Location") ?? "", admin)
    expect(read.body.data).toEqual({ ...shown, last_used_at: read.body.data.last_used_at })
    const list = await call(PATH, admin)
    expect(list.body.data.map(({ id }: { id: string }) => id)).toContain(shown.id)
    expect(JSON.stringify(list.body)).not.toContain(key.slice(-43))
    expect(Schema.is(ApiKeys)(list.body)).toBe(true)
  })

  it("is known to have been used, to the minute", async () => {
    const { body } = await post({ role: "producer" })
    const before = Date.now()
    for (let index = 0; index < 5; index++) await call("/v1/catalog", body.key)
    let used: string | null = null
    while (used === null && Date.now() < before + 10_000) {
      used = (await call(`${PATH}/${body.data.id}`, admin)).body.data.last_used_at
      await pause(20)
    }
    expect(Date.parse(used ?? "")).toBeGreaterThanOrEqual(before)
    expect(Date.parse(used ?? "")).toBeLessThanOrEqual(Date.now())
  })

  it("must make sense", async () => {
    const wrong: ReadonlyArray<readonly [object, string]> = [
      [{ role: "manager" }, "user"],
      [{ role: "member" }, "user"],
      [{ role: "member", user: "nobody" }, "user"],
      [{ role: "member", user: "u_client" }, "user"],
      [{ role: "manager", user: "u_gone" }, "user"],
      [{ role: "member", user: "ana@acme.example" }, "user"],
      [{ role: "operator" }, "role"],
      [{ role: "producer", expires_at: ahead(-1000) }, "expires_at"],
      [{ role: "producer", expires_at: "2030-02-30T00:00:00Z" }, "expires_at"],
      [{ role: "producer", name: "" }, "name"],
      [{ role: "producer", rights: ["export"] }, "rights"],
      [{}, "role"],
    ]
    for (const [body, parameter] of wrong) {
      const got = await post(body)
      expectProblem(got, "invalid_body", 400)
      expect(got.body.errors.map((error: { parameter: string }) => error.parameter)).toEqual([parameter])
    }
  })

  it("is of the credential's own tenant, which nobody may name", async () => {
    expectProblem(await post({ role: "producer", tenant }), "invalid_parameter", 400)
    expectProblem(await call(`${PATH}?tenant=${tenant}`, admin), "invalid_parameter", 400)
    expectProblem(await remove("k_1", admin, `?tenant=${tenant}`), "invalid_parameter", 400)
  })

  it("is nobody's business but a super admin's and the operator's", async () => {
    for (const role of ["manager", "member", "recruiter", "producer"] as const) {
      const other = await keyFor(tenant, role)
      expectProblem(await post({ role: "super_admin" }, other), "forbidden", 403)
      expectProblem(await call(PATH, other), "forbidden", 403)
    }
  })
})

describe("a key", () => {
  it("opens nothing once it has expired, remembered or not", async () => {
    const until = Date.now() + 700
    const { body } = await post({ role: "producer", expires_at: new Date(until).toISOString() })
    const send = () => call("/v1/events", body.key, { method: "POST", body: "{}" })
    expectProblem(await send(), "unsupported_media_type", 415)
    while (Date.now() < until) await pause(until - Date.now())
    const late = await send()
    expectProblem(late, "unauthorized", 401)
    expect(late.body.detail).toBe("The key has expired.")
    expect((await call(`${PATH}/${body.data.id}`, admin)).body.data.state).toBe("expired")
  })

  it("that is revoked opens nothing within two seconds, whichever process is asked", async () => {
    const { body } = await post({ role: "super_admin" })
    const options = { publisher: publisher(), adminKey: ADMIN_KEY, maxClockAhead: 0, maxAge: 0 }
    const other = makeApp({ services: services(), ...options })
    const atOther = async () =>
      (await other.request("/v1/catalog", { headers: { Authorization: `Bearer ${body.key}` } })).status
    expect([(await call("/v1/catalog", body.key)).status, await atOther()]).toEqual([200, 200])
    expect((await remove(body.data.id)).status).toBe(204)
    const revoked = Date.now()
    for (const ask of [atOther, async () => (await call("/v1/catalog", body.key)).status]) {
      let asked = revoked
      for (let at = asked; (await ask()) !== 401; at = Date.now()) {
        asked = at
        await pause(50)
      }
      expect(asked - revoked).toBeLessThan(2500)
      expect(await ask()).toBe(401)
    }
    expect((await remove(body.data.id)).status).toBe(204)
    const {
      body: { data: after },
    } = await call(`${PATH}/${body.data.id}`, admin)
    expect(after).toMatchObject({ state: "revoked", revoked_by: expect.stringMatching(/^k_/u) })
  })

  it("of another tenant looks like one that does not exist", async () => {
    const stranger = await keyFor(newTenant())
    const { body } = await post({ role: "producer" })
    for (const id of [body.data.id, "k_00000000000000000000", "..", "*", "k_%00", ">"]) {
      const path = `${PATH}/${encodeURIComponent(id).replaceAll(".", "%2E")}`
      for (const method of ["GET", "DELETE"])
        expectProblem(await call(path, stranger, { method }), "not_found", 404)
    }
    const [foreign, absent] = [
      await call(`${PATH}/${body.data.id}`, stranger),
      await call(`${PATH}/k_0`, stranger),
    ]
    expect({ ...foreign.body, request_id: "", detail: "" }).toEqual({
      ...absent.body,
      request_id: "",
      detail: "",
    })
    expect((await call(`${PATH}/${body.data.id}`, admin)).body.data.state).toBe("active")
    expect((await call(PATH, stranger)).body.data).toHaveLength(1)
  })
})

describe("the operator", () => {
  it("makes, lists and revokes the keys of any tenant, and must name it", async () => {
    const own = newTenant()
    const made = await post({ role: "super_admin", tenant: own, name: "First" }, ADMIN_KEY)
    expect(made.body.data).toMatchObject({ tenant: own, created_by: "operator" })
    const list = await call(`${PATH}?tenant=${own}`, ADMIN_KEY)
    expect(list.body.data).toMatchObject([{ id: made.body.data.id, name: "First" }])
    expect((await remove(made.body.data.id, ADMIN_KEY, `?tenant=${own}`)).status).toBe(204)
    expectProblem(await remove(made.body.data.id, ADMIN_KEY, `?tenant=${tenant}`), "not_found", 404)
    expectProblem(await remove(made.body.data.id, ADMIN_KEY), "invalid_parameter", 400)
    expectProblem(await post({ role: "super_admin" }, ADMIN_KEY), "invalid_parameter", 400)
    expectProblem(await call(PATH, ADMIN_KEY), "invalid_parameter", 400)
    const records = await run(auditRecords(own))
    expect(
      records.map(({ actor, action, subject, outcome }) => [actor.id, action, subject, outcome]),
    ).toEqual([
      ["operator", "key.created", `key:${made.body.data.id}`, "ok"],
      ["operator", "operator.used", undefined, "ok"],
      ["operator", "key.revoked", `key:${made.body.data.id}`, "ok"],
    ])
    expect(JSON.stringify(records)).not.toContain(made.body.key.slice(-43))
  })
})

it("keys come in pages, the oldest first, each once", async () => {
  const own = newTenant()
  const first = await keyFor(own)
  await run(
    Effect.forEach([1, 2, 3, 4, 5, 6], (index) =>
      createKey({ tenant: own, role: "producer", name: String(index) }),
    ),
  )
  const names: Array<string | null> = []
  for (let cursor: string | null = ""; cursor !== null;) {
    const { body }: { body: typeof ApiKeys.Type } = await call(
      `${PATH}?limit=3${cursor === "" ? "" : `&cursor=${cursor}`}`,
      first,
    )
    names.push(...body.data.map(({ name }) => name))
    cursor = body.next_cursor
  }
  // Those of one millisecond are in the order of their ids.
  expect(names.toSorted()).toEqual(["1", "2", "3", "4", "5", "6", null])
})
