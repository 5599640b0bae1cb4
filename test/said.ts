import type { Said } from "./api-operations.ts"
import { RANGE, type World } from "./api-world.ts"

const eventOf = (tenant: string, type: string, data: object) => ({
  specversion: "1.0",
  id: `e-${Math.random()}`,
  source: "/test",
  type,
  time: new Date(Date.now() - 60_000).toISOString(),
  tenantid: tenant,
  data,
})

const login = (tenant: string) => eventOf(tenant, "user.logged_in", { actor_id: "u", actor_type: "member" })
const team = (tenant: string) => eventOf(tenant, "team.upserted", { team_id: "t", name: "T" })

const one = (ids: ReadonlyArray<string>) => ids[0] ?? ""

/** What calls must say that cannot be told from the specification, by operation. `spareKey` is the id of a key that may go. */
export const saidOf = (world: World, spareKey: string): Readonly<Record<string, () => Said>> => ({
  "POST /v1/events": () => ({ body: JSON.stringify(login(world.tenant)) }),
  "POST /v1/events/batch": () => ({ body: JSON.stringify([login(world.tenant)]) }),
  "POST /v1/directory/batch": () => ({ body: JSON.stringify([team(world.tenant)]) }),
  "PUT /v1/targets": () => ({
    body: JSON.stringify({ metric: "cv_downloads", period: "week", scope: "everyone", value: 5 }),
  }),
  "POST /v1/api-keys": () => ({ body: JSON.stringify({ role: "producer" }) }),
  "GET /v1/api-keys/{id}": () => ({ path: { id: one(world.ids.key_id) } }),
  "DELETE /v1/api-keys/{id}": () => ({ path: { id: spareKey } }),
  "GET /v1/grants/{subject}": () => ({ path: { subject: "role:manager" } }),
  "PUT /v1/grants/{subject}": () => ({
    path: { subject: "role:manager" },
    body: JSON.stringify({ rights: ["see_actions"] }),
  }),
  "DELETE /v1/grants/{subject}": () => ({ path: { subject: "role:member" } }),
  "PUT /v1/settings": () => ({ body: "{}" }),
  "POST /v1/exports": () => ({
    body: JSON.stringify({ report: "user_actions", format: "csv", ...RANGE }),
  }),
  "GET /v1/exports/{id}": () => ({ path: { id: one(world.ids.export_id) } }),
  "GET /v1/exports/{id}/download": () => ({ path: { id: one(world.ids.export_id) } }),
  "DELETE /v1/exports/{id}": () => ({ path: { id: one(world.ids.export_id) } }),
  ...Object.fromEntries(
    [
      "GET /v1/dead-letters/{id}",
      "POST /v1/dead-letters/{id}/replay",
      "POST /v1/dead-letters/{id}/discard",
    ].map((name) => [name, () => ({ path: { id: one(world.ids.letter_id) } })]),
  ),
})
