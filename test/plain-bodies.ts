// The simplest bodies that calls take, whatever a tenant has.
import { randomUUID } from "node:crypto"
import { RANGE } from "./api-world.ts"

/** An event of a minute ago. */
export const eventOf = (tenant: string, type: string, data: object) => ({
  specversion: "1.0",
  id: `e-${randomUUID()}`,
  source: "/test",
  type,
  time: new Date(Date.now() - 60_000).toISOString(),
  tenantid: tenant,
  data,
})

export const loginOf = (tenant: string) =>
  eventOf(tenant, "user.logged_in", { actor_id: "u", actor_type: "member" })

export const teamOf = (tenant: string) => eventOf(tenant, "team.upserted", { team_id: "t", name: "T" })

export const TARGET = { metric: "cv_downloads", period: "week", scope: "everyone", value: 5 } as const

export const WANTED = { report: "user_actions", format: "csv", ...RANGE } as const
