// The specification and the API agree on what a body can be, defaults left out and fields that nobody knows included.
import { beforeAll, describe, expect, it } from "vitest"
import { newTenant, testApp } from "../api/test-app.ts"
import { bodyErrors, type Operation, OPERATIONS, requestOf } from "./api-operations.ts"
import { eventOf, loginOf, TARGET, teamOf, WANTED } from "./plain-bodies.ts"

const { call, keyFor } = testApp()
const tenant = newTenant()
let key: string
beforeAll(async () => {
  key = await keyFor(tenant)
})

const event = (type: string, data: object) => eventOf(tenant, type, data)
const login = loginOf(tenant)
const team = teamOf(tenant)

const send = (operation: Operation, body: string) => {
  const [address, init] = requestOf(operation, { path: { subject: "role:manager" }, body })
  return call(address, key, init)
}

it.each(OPERATIONS.filter(({ taken }) => taken !== undefined))(
  "$name takes its example",
  async (operation) => {
    const body = JSON.stringify(operation.example)
    expect(bodyErrors(operation, body)).toBe("")
    const got = await send(operation, body.replace('"acme"', JSON.stringify(tenant)))
    expect(got.status, JSON.stringify(got.body)).toBeLessThan(300)
  },
)

describe("a body is taken when the specification takes it", () => {
  it.each([
    ["PUT /v1/settings", 200, {}],
    ["PUT /v1/settings", 200, { hide_names: false, signals: { quiet_days: 30 } }],
    ["PUT /v1/settings", 400, { signals: { nope: 1 } }],
    ["PUT /v1/settings", 400, { hide_names: null }],
    ["PUT /v1/settings", 400, { nope: 1 }],
    ["POST /v1/api-keys", 201, { role: "producer", name: "p", expires_at: "2100-01-01T00:00:00Z" }],
    ["POST /v1/api-keys", 400, { role: "producer", nope: 1 }],
    ["POST /v1/api-keys", 400, { role: "baker" }],
    ["POST /v1/api-keys", 400, { role: "manager" }],
    ["PUT /v1/grants/{subject}", 200, { rights: [] }],
    ["PUT /v1/grants/{subject}", 400, { rights: [], nope: 1 }],
    ["PUT /v1/targets", 202, { ...TARGET, holds_from: "2026-01-01" }],
    ["PUT /v1/targets", 400, { ...TARGET, nope: 1 }],
    ["PUT /v1/targets", 400, { ...TARGET, scope: "team" }],
    ["PUT /v1/targets", 400, { ...TARGET, team_id: "t" }],
    ["POST /v1/exports", 202, { ...WANTED, user_id: "u", csv: { bom: true } }],
    ["POST /v1/exports", 202, { ...WANTED, report: "user_insights", user_id: ["u", "v"] }],
    ["POST /v1/exports", 400, { ...WANTED, user_id: Array.from({ length: 201 }, () => "u") }],
    ["POST /v1/exports", 400, { ...WANTED, csv: { nope: 1 } }],
    ["POST /v1/exports", 400, { ...WANTED, nope: 1 }],
    ["POST /v1/exports", 400, { ...WANTED, limit: "5" }],
    ["POST /v1/events", 202, { ...login, traceparent: "00-1-2-01" }],
    ["POST /v1/events", 422, event("user.logged_in", { actor_id: "u", actor_type: "member", nope: 1 })],
    ["POST /v1/events", 422, event("cv.downloaded", { actor_id: "u", actor_type: "member" })],
    ["POST /v1/events/batch", 202, [{ ...login, traceparent: "00-1-2-01" }]],
    ["POST /v1/directory/batch", 202, [{ ...team, traceparent: "00-1-2-01" }]],
    ["POST /v1/directory/batch", 422, [event("team.upserted", { team_id: "t", name: "T", nope: 1 })]],
  ] as const)("%s: %d %j", async (name, status, body) => {
    const operation = OPERATIONS.find((known) => known.name === name)
    if (operation === undefined) throw new Error(`there is no ${name}`)
    const text = JSON.stringify(body)
    const got = await send(operation, text)
    expect(got.status, JSON.stringify(got.body)).toBe(status)
    const errors = bodyErrors(operation, text)
    expect(errors === "", errors).toBe(status < 300)
  })
})
