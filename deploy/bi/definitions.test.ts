// The views of bi count what the API counts: asked side by side, over a tenant with everything that must not count.
import { beforeAll, describe, expect, it } from "vitest"
import { METRICS } from "#schemas/catalogue.ts"
import type { ActionRow } from "#schemas/report-actions.ts"
import type { UserRow } from "#schemas/report-user-insights.ts"
import { newTenant, testApp } from "../../api/test-app.ts"
import {
  eraseUsers,
  putActions,
  putDaily,
  putLicenses,
  putQuarter,
  putTeams,
  putTenant,
  putUsers,
} from "../../api/test-rows.ts"
import { ask } from "../../test/ask-store.ts"

const { call, keyFor } = testApp()
const tenant = newTenant()
const ZONE = "America/New_York"
const FROM = "2026-10-30"
const TO = "2026-11-03"
const DAYS = ["2026-10-30", "2026-10-31", "2026-11-01", "2026-11-02", "2026-11-03"]

let key: string
const report = async (path: string) => {
  const { status, body } = await call(`/v1/reports/user-insights/${path}`, key)
  expect(status, JSON.stringify(body)).toBe(200)
  return body.data
}
const view = (statement: string) =>
  ask(statement, { user: "tidemark_reader", fields: { param_tenant: tenant } })

const note = (id: string, time: string, actor_id: string, more: object = {}) => ({
  id,
  type: "note.logged",
  time,
  actor_id,
  contact_id: "p",
  ...more,
})

beforeAll(async () => {
  key = await keyFor(tenant)
  await putTenant(tenant, ZONE)
  await putTeams(tenant, { t_1: { name: "Sales" }, t_2: { name: "Delivery" } })
  await putUsers(tenant, {
    u_1: { team_ids: ["t_1"] },
    u_2: { team_ids: ["t_1", "t_2"] },
    u_3: {},
    u_4: {},
    c_1: { kind: "client" },
  })
  await eraseUsers(tenant, ["u_3", "u_gone"])
  await putLicenses(tenant, [
    { user_id: "u_1", verb: "assigned", time: "2026-10-01T00:00:00.000Z" },
    { user_id: "u_1", verb: "disabled", time: "2026-11-02T15:00:00.000Z" },
    // In New York this is the day before.
    { user_id: "u_2", verb: "assigned", time: "2026-11-01T02:00:00.000Z" },
    { user_id: "u_3", verb: "assigned", time: "2026-10-01T00:00:00.000Z" },
    { user_id: "u_3", verb: "deleted", time: "2026-11-01T12:00:00.000Z", event_id: "a" },
    { user_id: "u_3", verb: "enabled", time: "2026-11-01T12:00:00.000Z", event_id: "b" },
    { user_id: "u_gone", verb: "assigned", time: "2026-10-31T12:00:00.000Z" },
    { user_id: "u_4", verb: "assigned", time: "2099-01-01T00:00:00.000Z" },
    { user_id: "c_1", verb: "assigned", time: "2026-10-01T00:00:00.000Z" },
    { user_id: "u_nobody", verb: "assigned", time: "2026-10-01T00:00:00.000Z" },
  ])
  await putActions(tenant, ZONE, [
    note("a1", "2026-10-30T14:00:00.000Z", "u_1", { quantity: 3 }),
    note("a2", "2026-10-31T03:59:59.000Z", "u_1"),
    note("a3", "2026-10-31T04:00:00.000Z", "u_1"),
    // The clocks go back on 1 November at 06:00 UTC.
    note("a4", "2026-11-02T04:59:59.999Z", "u_2", { quantity: 2 }),
    note("a5", "2026-11-02T05:00:00.000Z", "u_2"),
    note("a6", "2026-11-01T12:00:00.000Z", "u_3"),
    note("a7", "2026-11-01T12:00:00.000Z", "u_gone"),
    note("a8", "2026-11-01T12:00:00.000Z", "u_nobody"),
    note("a9", "2026-11-01T12:00:00.000Z", "u_2", { automated: true }),
    note("a10", "2026-11-01T12:00:00.000Z", "u_2", { impersonator_id: "u_1" }),
    note("a11", "2026-11-01T12:00:00.000Z", "c_1", { actor_type: "client" }),
    { ...note("a12", "2026-11-03T12:00:00.000Z", "u_4"), type: "user.logged_in" },
    { ...note("a13", "2026-10-31T16:00:00.000Z", "u_2"), type: "meeting.logged" },
    { ...note("a14", "2026-11-03T12:00:00.000Z", "u_2"), type: "phone_call.logged", quantity: 4 },
  ])
  // What a repair writes: a meeting that never was, on a day without anything else, and a call of three fewer.
  const meeting = { user_id: "u_2", action: "meeting.logged", events: -1, quantity: -1 }
  const call = { user_id: "u_2", action: "phone_call.logged", events: 0, quantity: -3 }
  for (const [row, last_at] of [
    [meeting, "2026-10-31T16:00:00.000Z"],
    [call, "2026-11-03T12:00:00.000Z"],
  ] as const) {
    await putDaily(tenant, { zone: ZONE, day: last_at.slice(0, 10), ...row, last_at })
    await putQuarter(tenant, { quarter: last_at.slice(0, 19).replace("T", " "), ...row, last_at })
  }
})

const SERIES = `
  SELECT toString(day) AS date, countIf(is_active) AS active_users, ${METRICS.map((metric) => `sum(wide.${metric}) AS ${metric}`).join(", ")}
  FROM bi.user_daily_wide AS wide
  WHERE tenant = {tenant:String} AND day BETWEEN '${FROM}' AND '${TO}'
  GROUP BY day ORDER BY day`

const compareAll = () => {
  it("day by day: active users and every metric", async () => {
    const metrics = ["active_users", ...METRICS].map((metric) => `metric=${metric}`).join("&")
    const series = await report(`timeseries?from=${FROM}&to=${TO}&interval=day&${metrics}`)
    expect(series.map((row: { notes_logged: number }) => row.notes_logged).toSorted()).not.toEqual([
      0, 0, 0, 0, 0,
    ])
    expect(await view(SERIES)).toEqual(series)
  })

  it("user by user: metrics, active days, latest activity", async () => {
    const users: ReadonlyArray<UserRow> = await report(`users?from=${FROM}&to=${TO}`)
    const rows = await view(`
      SELECT
        user_id,
        countIf(is_active) AS active_days,
        max(last_activity_at) AS last_at,
        ${METRICS.map((metric) => `sum(wide.${metric}) AS ${metric}`).join(", ")}
      FROM bi.user_daily_wide AS wide
      WHERE tenant = {tenant:String} AND day BETWEEN '${FROM}' AND '${TO}'
      GROUP BY user_id ORDER BY user_id`)
    const acted = users.filter((user) => Object.values(user.metrics).some((value) => value > 0))
    expect(rows).toEqual(
      acted.map(({ user_id, active_days, last_tracked_activity_at, metrics }) => ({
        user_id,
        active_days,
        last_at: last_tracked_activity_at?.replace("T", " ").replace("Z", "") ?? null,
        ...metrics,
      })),
    )
  })

  it.each(DAYS)("the KPIs of %s", async (day) => {
    const kpis = await report(`summary?from=${day}&to=${day}`)
    const names = [
      "total_licenses",
      "active_users",
      "active_licenses",
      "active_without_license",
      "activity_ratio",
    ]
    const [row] = await view(
      `SELECT ${names.join(", ")} FROM bi.licenses_daily WHERE tenant = {tenant:String} AND day = '${day}'`,
    )
    expect(row).toEqual(Object.fromEntries(names.map((name) => [name, kpis[name].value])))
    expect(row?.["total_licenses"]).toBeGreaterThan(0)
  })
}

describe("in the tenant's zone, from the daily rollup", () => {
  compareAll()
})

describe("after the tenant's zone has changed, from the quarter hours", () => {
  beforeAll(async () => {
    await putTenant(tenant, "Asia/Kolkata", { version: "2026-02-01T00:00:00.000Z" })
    const [moved] = await view(
      "SELECT count() AS n FROM bi.tenants_between_zones WHERE tenant = {tenant:String}",
    )
    expect(moved).toEqual({ n: 1 })
  })
  compareAll()
})

it("users have the names, teams and licences that the users report shows", async () => {
  const users: ReadonlyArray<UserRow> = await report(`users?from=2026-10-01&to=2026-11-22`)
  const rows = await view(`
    SELECT user_id, name, email, teams, license_status FROM bi.users
    WHERE tenant = {tenant:String} AND is_member AND user_id != 'u_4' ORDER BY user_id`)
  expect(rows).toEqual(
    users
      .filter(({ user_id }) => user_id !== "u_4")
      .map(({ user_id, name, email, teams, license_status }) => ({
        user_id,
        name,
        email,
        teams: teams
          .map((team) => team.name)
          .toSorted()
          .join(", "),
        license_status,
      })),
  )
  expect(rows).toHaveLength(4)
})

it("the action log has every stored event, and says which count", async () => {
  const { body } = await call(`/v1/actions?from=${FROM}&to=${TO}&limit=100`, key)
  const rows = await view(`
    SELECT id, action, action_label, actor_name, actor_email, automated, quantity FROM bi.action_log
    WHERE tenant = {tenant:String} ORDER BY occurred_at DESC, id DESC`)
  expect(rows).toEqual(
    body.data.map((action: ActionRow) => ({
      id: action.id,
      action: action.type,
      action_label: action.action_label,
      actor_name: action.actor.name,
      actor_email: action.actor.email,
      automated: action.automated,
      quantity: action.quantity,
    })),
  )
  const counted = await view(
    "SELECT id FROM bi.action_log_anonymous WHERE tenant = {tenant:String} AND NOT counts ORDER BY id",
  )
  expect(counted.map(({ id }) => id)).toEqual(["a10", "a11", "a8", "a9"])
})
