import { setTimeout as pause } from "node:timers/promises"
import { Schema } from "effect"
import { beforeAll, describe, expect, it } from "vitest"
import { Grants } from "#schemas/grants.ts"
import { auditRecords } from "../../test/audit-records.ts"
import type { Role } from "../auth/credential.ts"
import { issueKey } from "../auth/keys.ts"
import { expectProblem, type Got, newTenant, testApp } from "../test-app.ts"

const { call, keyFor, run } = testApp()
const tenant = newTenant()
const PATH = "/v1/grants"
const ACTIONS = "/v1/actions?from=2026-10-01&to=2026-10-31"
let admin: string

const send = (method: string, subject: string, body?: object, headers: object = {}, key = admin) =>
  call(`${PATH}/${subject}`, key, {
    method,
    headers: { "Content-Type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
const grant = (subject: string, ...rights: ReadonlyArray<string>) => send("PUT", subject, { rights })
const keyOf = (role: Role) => run(issueKey({ tenant, role, user: "u_1" }))

/** Asks until the answer has the status; for how long calls began that were answered otherwise. */
const until = async (status: number, ask: () => Promise<Got>): Promise<number> => {
  const begun = Date.now()
  let last = begun
  for (let asked = begun; (await ask()).status !== status; asked = Date.now()) {
    last = asked
    await pause(50)
  }
  return last - begun
}

beforeAll(async () => {
  admin = await keyFor(tenant)
})

describe("a grant", () => {
  it("opens to a role within two seconds what nobody but a super admin saw, and taken back closes it", async () => {
    const { secret } = await keyOf("manager")
    const ask = () => call(ACTIONS, secret)
    expectProblem(await ask(), "forbidden", 403)
    const granted = await grant("role:manager", "see_actions")
    expect(granted.body.data).toEqual({
      subject: "role:manager",
      rights: ["see_actions"],
      changed_at: expect.stringMatching(/Z$/u),
      changed_by: expect.stringMatching(/^k_/u),
    })
    expect(await until(200, ask)).toBeLessThan(2500)
    expect((await send("DELETE", "role:manager")).status).toBe(204)
    expect(await until(403, ask)).toBeLessThan(2500)
  })

  it("is for one key alone when it says so, and goes with the key", async () => {
    const [one, other] = [await keyOf("recruiter"), await keyOf("recruiter")]
    await grant(`key:${one.id}`, "see_actions")
    await until(200, () => call(ACTIONS, one.secret))
    expectProblem(await call(ACTIONS, other.secret), "forbidden", 403)
    await call(`/v1/api-keys/${one.id}`, admin, { method: "DELETE" })
    const { body } = await call(PATH, admin)
    expect(body.data.map(({ subject }: { subject: string }) => subject)).not.toContain(`key:${one.id}`)
    expectProblem(await grant(`key:${one.id}`, "see_actions"), "not_found", 404)
  })

  it("holds only what the role can be granted", async () => {
    const producer = await keyOf("producer")
    for (const [subject, right] of [
      ["role:manager", "manage_keys"],
      ["role:manager", "see_clients"],
      ["role:member", "see_audit_log"],
      ["role:recruiter", "see_insights"],
      ["role:producer", "see_actions"],
      ["role:super_admin", "see_actions"],
      [`key:${producer.id}`, "see_actions"],
    ] as const) {
      const got = await grant(subject, right)
      expectProblem(got, "not_grantable", 422)
    }
    expectProblem(await grant("role:manager", "everything"), "invalid_body", 400)
    expectProblem(await grant("role:boss", "export"), "not_found", 404)
    expectProblem(await grant("everybody", "export"), "invalid_parameter", 400)
  })

  it("is refused when it is no longer what was read", async () => {
    const read = await call(`${PATH}/role:member`, admin)
    const seen = { "If-Match": read.headers.get("ETag") ?? "" }
    const first = await send("PUT", "role:member", { rights: ["export", "see_insights"] }, seen)
    expect(first.body.data.rights).toEqual(["see_insights", "export"])
    expectProblem(await send("PUT", "role:member", { rights: [] }, seen), "precondition_failed", 412)
    expectProblem(await send("DELETE", "role:member", undefined, seen), "precondition_failed", 412)
    const again = { "If-Match": `"x", ${first.headers.get("ETag")}` }
    expect((await send("DELETE", "role:member", undefined, again)).status).toBe(204)
    expect((await send("DELETE", "role:member", undefined, { "If-Match": "*" })).status).toBe(204)
  })

  it("is not lost when others change theirs at the same time", async () => {
    const keys = await Promise.all(Array.from({ length: 8 }, () => keyOf("recruiter")))
    const answers = await Promise.all(keys.map(({ id }) => grant(`key:${id}`, "export")))
    expect(answers.map(({ status }) => status)).toEqual(keys.map(() => 200))
    const { body } = await call(PATH, admin)
    expect(Schema.is(Grants)(body)).toBe(true)
    const subjects = body.data.map(({ subject }: { subject: string }) => subject)
    for (const { id } of keys) expect(subjects).toContain(`key:${id}`)
  })

  it("is on record with what it replaced", async () => {
    await grant("role:recruiter", "see_clients")
    await grant("role:recruiter", "see_actions")
    const records = await run(auditRecords(tenant))
    expect(records.at(-1)).toMatchObject({
      action: "grant.changed",
      route: "PUT /v1/grants/:subject",
      subject: "role:recruiter",
      filters: { subject: "role:recruiter", rights: ["see_actions"], before: ["see_clients"] },
      outcome: "ok",
    })
  })

  it("is the tenant's own: another's key looks like one that does not exist", async () => {
    const stranger = await keyFor(newTenant())
    const { id } = await keyOf("manager")
    for (const subject of [`key:${id}`, "key:k_00000000000000000000"]) {
      expectProblem(await send("PUT", subject, { rights: ["export"] }, {}, stranger), "not_found", 404)
      expectProblem(await send("GET", subject, undefined, {}, stranger), "not_found", 404)
      expectProblem(await send("DELETE", subject, undefined, {}, stranger), "not_found", 404)
    }
    expect((await call(PATH, stranger)).body.data).toEqual([])
  })
})
