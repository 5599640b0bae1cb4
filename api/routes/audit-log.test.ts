import { Effect, Fiber } from "effect"
import { beforeAll, describe, expect, it } from "vitest"
import { runAuditLog } from "../../pipeline/audit-log/consumer.ts"
import { Nats } from "#nats/connection.ts"
import type { AuditLogRow } from "#schemas/report-audit-log.ts"
import { createKey } from "../auth/keys.ts"
import { writeAudit } from "../audit/write.ts"
import { expectProblem, newTenant, storeAs, testApp } from "../test-app.ts"
import { putTenant } from "../test-rows.ts"

const { call, keyFor, run, services } = testApp()
const tenant = newTenant()
const today = new Date().toISOString().slice(0, 10)
const LOG = `/v1/audit-log?from=${today}&to=${today}&tz=UTC`
const SUMMARY = `/v1/reports/user-insights/summary?from=${today}&to=${today}`
let key: string

/** Writes what the stream holds into the store, as the writer's process does. */
const apply = async (): Promise<void> => {
  const caughtUp = Promise.withResolvers<void>()
  const consumer = Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(runAuditLog(() => caughtUp.resolve()))
    yield* Effect.promise(() => caughtUp.promise)
    yield* Fiber.interrupt(fiber)
  })
  await Effect.runPromiseWith(services())(consumer.pipe(Effect.provide(storeAs("tidemark_writer"))))
}

beforeAll(async () => {
  await putTenant(tenant, "UTC")
  key = await run(createKey({ tenant, role: "super_admin", name: "Auditor", user: "u_boss" }))
})

describe("the audit log", () => {
  it("says who saw what, newest first, and who looked at the log", async () => {
    await call(SUMMARY, key)
    await call(`${SUMMARY}&team_id=t_1`, await keyFor(tenant, "manager"))
    await apply()
    const first = await call(LOG, key)
    expect(first.body.data).toMatchObject([
      { actor: { role: "manager", name: null, user: null }, outcome: "forbidden", filters: {} },
      {
        actor: { kind: "key", name: "Auditor", user: "u_boss", role: "super_admin" },
        action: "report.viewed",
        route: "GET /v1/reports/user-insights/summary",
        subject: null,
        filters: { from: today, to: today },
        outcome: "ok",
      },
    ])
    await apply()
    const again = await call(LOG, key)
    expect(again.body.data[0]).toMatchObject({ action: "audit_log.viewed", filters: { tz: "UTC" } })
    expect(again.body.data).toHaveLength(3)
  })

  it("says up to when it is whole", async () => {
    const before = Date.now()
    await call(SUMMARY, key)
    const waiting = await call(LOG, key)
    expect(Date.parse(waiting.body.meta.data_through)).toBeLessThan(before + 1000)
    const after = Date.now()
    await apply()
    const applied = await call(LOG, key)
    expect(Date.parse(applied.body.meta.data_through)).toBeGreaterThanOrEqual(after)
  })

  it("is filtered by action and by actor", async () => {
    const mine = await call(`${LOG}&actor=u_boss&action=report.viewed`, key)
    expect(mine.body.data.length).toBeGreaterThan(0)
    for (const row of mine.body.data) expect(row).toMatchObject({ action: "report.viewed", outcome: "ok" })
    const { id } = mine.body.data[0].actor
    expect((await call(`${LOG}&actor=${id}&action=report.viewed`, key)).body.data).toEqual(mine.body.data)
    expect((await call(`${LOG}&actor=nobody`, key)).body.data).toEqual([])
    expectProblem(await call(`${LOG}&action=anything`, key), "invalid_parameter", 400)
  })

  it("comes in pages that hold every record once", async () => {
    await apply()
    const whole = await call(`${LOG}&action=report.viewed`, key)
    const pages: Array<AuditLogRow> = []
    for (let cursor: string | null = ""; cursor !== null;) {
      const page = await call(
        `${LOG}&action=report.viewed&limit=1${cursor === "" ? "" : `&cursor=${cursor}`}`,
        key,
      )
      expect(page.body.data).toHaveLength(1)
      pages.push(...page.body.data)
      cursor = page.body.next_cursor
    }
    expect(pages).toEqual(whole.body.data)
  })

  it("is the tenant's own, and for super admins alone", async () => {
    const other = await keyFor(newTenant())
    expect((await call(LOG, other)).body.data).toEqual([])
    for (const role of ["manager", "member", "recruiter", "producer"] as const)
      expectProblem(await call(LOG, await keyFor(tenant, role)), "forbidden", 403)
  })
})

it("a record takes whatever the filters hold", async () => {
  const own = newTenant()
  const filters = { client_id: ['c"\\\n\u0000✓'], nested: { user_email: "a@b.example" } }
  const actor = { kind: "key", id: "k_1", role: "super_admin" } as const
  await run(
    Effect.andThen(
      Nats,
      writeAudit({ tenant: own, actor, action: "report.viewed", route: "x", filters, outcome: "ok" }),
    ),
  )
  await apply()
  const { body } = await call(LOG, await keyFor(own))
  expect(body.data[0].filters).toEqual({
    client_id: ['c"\\\n\u0000✓'],
    nested: { user_email: expect.stringMatching(/^sha256:/u) },
  })
})
