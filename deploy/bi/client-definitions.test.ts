// The view of clients' engagement counts what the client-engagement report counts, day by day.
import { beforeAll, expect, it } from "vitest"
import { STAGES } from "#schemas/report-clients.ts"
import type { ClientEngagementRow } from "#schemas/report-clients.ts"
import { newTenant, testApp } from "../../api/test-app.ts"
import { putActions, putClients, putJobs, putTenant } from "../../api/test-rows.ts"
import { ask } from "../../test/ask-store.ts"

const { call, keyFor } = testApp()
const tenant = newTenant()
const ZONE = "Asia/Kolkata"
const DAYS = ["2026-11-01", "2026-11-02", "2026-11-03"]

let key: string

beforeAll(async () => {
  key = await keyFor(tenant)
  await putTenant(tenant, ZONE)
  await putClients(tenant, { c_1: { name: "Globex" } })
  await putJobs(tenant, {
    j_1: { title: "Engineer", client_id: "c_1" },
    j_2: { title: "Nurse", status: "closed" },
  })
  const act = (id: string, time: string, type: string, more: object = {}) => ({
    id,
    time,
    type,
    actor_id: "x",
    actor_type: "client",
    client_id: "c_1",
    job_id: "j_1",
    candidate_id: "k_1",
    ...more,
  })
  await putActions(tenant, ZONE, [
    // The first minute of 2 November in India, and the last of the day before.
    act("1", "2026-11-01T18:30:00.000Z", "candidate_profile.viewed", { quantity: 3 }),
    act("2", "2026-11-01T18:29:59.999Z", "candidate_profile.viewed"),
    act("3", "2026-11-02T10:00:00.000Z", "candidate_profile.viewed", { candidate_id: "k_2" }),
    act("4", "2026-11-02T10:00:00.000Z", "candidate_profile.viewed", { actor_type: "member" }),
    act("5", "2026-11-02T10:00:00.000Z", "cv.downloaded", { quantity: 2, job_id: "j_2" }),
    act("6", "2026-11-02T10:00:00.000Z", "cv.downloaded", { automated: true }),
    act("7", "2026-11-02T10:00:00.000Z", "cv.downloaded", { impersonator_id: "m" }),
    act("8", "2026-11-02T10:00:00.000Z", "cv.downloaded", { job_id: "" }),
    act("9", "2026-11-03T10:00:00.000Z", "interview.scheduled", { actor_type: "member", client_id: "c_2" }),
    ...STAGES.flatMap(({ action }, i) =>
      action === undefined ? [] : [act(`s${i}`, "2026-11-03T11:00:00.000Z", action, { job_id: `j_s${i}` })],
    ),
  ])
})

it.each(DAYS)("on %s", async (day) => {
  const { body } = await call(`/v1/reports/client-engagement?from=${day}&to=${day}`, key)
  const expected = (body.data as ReadonlyArray<ClientEngagementRow>).map((row) => ({
    client_id: row.client_id,
    client_name: row.client_name ?? "",
    job_id: row.job_id,
    job_title: row.job_title ?? "",
    job_status: row.job_status ?? "",
    profile_views: row.profile_views,
    unique_profiles_viewed: row.unique_profiles_viewed,
    cv_downloads: row.cv_downloads,
    interviews_scheduled: row.interviews_scheduled,
    stage: row.stage,
    last_action_at: row.last_action_at.replace("T", " ").replace("Z", ""),
  }))
  expect(expected.length).toBeGreaterThan(0)
  const rows = await ask(
    `SELECT * EXCEPT (tenant, day, stage_number) FROM bi.client_engagement_daily
     WHERE tenant = {tenant:String} AND day = '${day}' ORDER BY client_id, job_id`,
    { user: "tidemark_reader", fields: { param_tenant: tenant } },
  )
  expect(rows).toEqual(expected)
})
