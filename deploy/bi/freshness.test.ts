// How fresh the log is goes by when an action was received, whenever it happened.
import { expect, it } from "vitest"
import { newTenant } from "../../api/test-app.ts"
import { putActions } from "../../api/test-rows.ts"
import { ask } from "../../test/ask-store.ts"
import { READER } from "./test-tenants.ts"

const MINUTE = 60_000
const DAY = 86_400_000

const ago = (milliseconds: number): string => new Date(Date.now() - milliseconds).toISOString()
const stored = (time: string): string => time.replace("T", " ").replace("Z", "")
const login = (id: string, time: string, received_at: string) => ({
  id,
  type: "user.logged_in",
  time,
  actor_id: "u",
  received_at,
})
const freshness = (tenant: string) =>
  ask("SELECT * EXCEPT (tenant) FROM bi.freshness WHERE tenant = {tenant:String}", {
    ...READER,
    fields: { param_tenant: tenant },
  })

it("what came late counts when it came", async () => {
  const tenant = newTenant()
  const [late, yesterday] = [ago(10 * MINUTE), ago(5 * 60 * MINUTE)]
  await putActions(tenant, "UTC", [
    login("late", ago(60 * DAY), late),
    login("day", yesterday, yesterday),
    login("old", ago(90 * DAY), ago(90 * DAY)),
  ])
  expect(await freshness(tenant)).toEqual([
    { last_received_at: stored(late), last_occurred_at: stored(yesterday), last_hour: 1, last_day: 2 },
  ])
})

it("a tenant that was quiet for months has a row", async () => {
  const tenant = newTenant()
  const time = ago(100 * DAY)
  await putActions(tenant, "UTC", [login("quiet", time, time)])
  expect(await freshness(tenant)).toEqual([
    { last_received_at: stored(time), last_occurred_at: stored(time), last_hour: 0, last_day: 0 },
  ])
})
