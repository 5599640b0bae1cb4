// Who may call what, over every route that there is.
import { Effect } from "effect"
import { beforeAll, describe, expect, it } from "vitest"
import { ROLES } from "#schemas/rights.ts"
import { ADMIN_KEY, expectProblem, type Got, newTenant, testApp } from "../test-app.ts"
import {
  putActions,
  putCandidates,
  putClients,
  putJobs,
  putLicenses,
  putTargets,
  putTeams,
  putTenant,
  putUsers,
} from "../test-rows.ts"
import { addressOf, routeTable, saidBy, type TableRoute } from "../test-routes.ts"
import type { Role } from "./credential.ts"
import { setGrant } from "./grants.ts"
import { createKey } from "./keys.ts"
import { alwaysOf, grantableTo, type Right } from "./rights.ts"

const { call, publisher, run, services } = testApp()
/** Nothing is granted in the one, and everything that can be in the other. */
const [bare, granted] = [newTenant(), newTenant()]
const keys = new Map<string, string>()
let table: ReadonlyArray<TableRoute>

const keyOf = (tenant: string, role: Role): string => keys.get(`${tenant} ${role}`) ?? ""

/** More than anybody within a scope did, so that a sum gives it away. */
const MANY = 77_777

const fill = async (tenant: string): Promise<void> => {
  await putTenant(tenant, "UTC")
  await putTeams(tenant, { t_mine: { name: "Mine" }, t_theirs: { name: "Theirs" } })
  await putUsers(tenant, {
    u_boss: { team_ids: ["t_mine"] },
    u_self: { team_ids: ["t_mine"] },
    u_theirs: { team_ids: ["t_theirs"] },
  })
  await putClients(tenant, { c_1: { name: "Client" } })
  await putJobs(tenant, { j_1: { title: "Job", client_id: "c_1" } })
  await putCandidates(tenant, { k_1: { name: "Candidate", email: "k@x.example" } })
  await putLicenses(
    tenant,
    ["u_boss", "u_self", "u_theirs"].map((user_id) => ({
      user_id,
      verb: "assigned",
      time: "2026-10-06T00:00:00.000Z",
    })),
  )
  const target = {
    scope: "user",
    metric: "contacts_created",
    period: "week",
    holds_from: "2026-01-01",
  } as const
  await putTargets(tenant, [
    { ...target, scope_id: "u_self", value: 5 },
    { ...target, scope_id: "u_theirs", value: MANY },
  ])
  const action = { type: "contact.created", time: "2026-10-10T10:00:00.000Z" }
  await putActions(tenant, "UTC", [
    { ...action, id: "e_boss", actor_id: "u_boss" },
    { ...action, id: "e_self", actor_id: "u_self" },
    { ...action, id: "e_theirs", actor_id: "u_theirs", quantity: MANY },
    ...["candidate_profile.viewed", "cv.downloaded"].map((type) => ({
      id: `e_${type}`,
      type,
      time: "2026-10-10T10:00:00.000Z",
      actor_id: "u_client",
      actor_type: "client",
      client_id: "c_1",
      job_id: "j_1",
      candidate_id: "k_1",
    })),
  ])
}

const USERS: Readonly<Partial<Record<Role, string>>> = { manager: "u_boss", member: "u_self" }

beforeAll(async () => {
  table = routeTable(services(), publisher())
  for (const tenant of [bare, granted]) {
    await fill(tenant)
    for (const role of ROLES) {
      const user = USERS[role]
      const key = await run(createKey({ tenant, role, ...(user === undefined ? {} : { user }) }))
      keys.set(`${tenant} ${role}`, key)
    }
  }
  for (const role of ROLES)
    await run(
      setGrant(
        granted,
        { subject: `role:${role}`, rights: grantableTo(role), by: "test" },
        () => Effect.void,
      ),
    )
})

const secured = (): ReadonlyArray<TableRoute & { readonly right: Right }> =>
  table.flatMap((route) => (route.right === undefined ? [] : [{ ...route, right: route.right }]))

const ask = (route: TableRoute, key: string | undefined, given = {}): Promise<Got> =>
  call(addressOf(route, given), key, { method: route.method })

/** Asks for everything that a role must not have; returns how much that was. */
const expectClosed = async (tenant: string, role: Role, rights: ReadonlyArray<Right>): Promise<number> => {
  const closed = secured().filter(({ right }) => !rights.includes(right))
  for (const route of closed) {
    const got = await ask(route, keyOf(tenant, role))
    expect([route.name, got.status, got.body.code]).toEqual([route.name, 403, "forbidden"])
    expect(saidBy(got.body)).not.toMatch(/u_theirs|77777/u)
  }
  return closed.length
}

it("every route under /v1 asks for a right, and none lets anybody in without a credential", async () => {
  const rightless = table.filter(({ path, right }) => path.startsWith("/v1/") && right === undefined)
  expect(rightless.map(({ name }) => name)).toEqual([])
  for (const route of secured()) {
    expectProblem(await ask(route, undefined), "unauthorized", 401)
    expectProblem(await ask(route, "nonsense"), "unauthorized", 401)
  }
})

it("every look at people's numbers, every file and every change is on record", () => {
  const watched = new Set<string>(["see_insights", "see_clients", "see_actions", "see_audit_log"])
  // What is wanted of people says nothing about what they did; nor does a list of one's own files.
  const open = new Set(["GET /v1/targets", "GET /v1/targets/history"])
  const unrecorded = table.filter(
    ({ name, method, path, right, audit }) =>
      audit === undefined &&
      right !== undefined &&
      !open.has(name) &&
      (watched.has(right) || path.endsWith("/download") || (method !== "GET" && !right.startsWith("send_"))),
  )
  expect(unrecorded.map(({ name }) => name)).toEqual([])
})

describe("without a grant", () => {
  it.each(ROLES.filter((role) => role !== "super_admin"))("a %s sees no report", async (role) => {
    expect(await expectClosed(bare, role, alwaysOf(role))).toBeGreaterThan(15)
    expect(alwaysOf(role).filter((right) => right.startsWith("see_") && right !== "see_catalog")).toEqual([])
  })

  it("the operator sees none either", async () => {
    const open = new Set(["see_catalog", "see_data_quality"])
    const closed = secured().filter(({ right }) => right.startsWith("see_") && !open.has(right))
    expect(closed.length).toBeGreaterThan(5)
    for (const route of closed) expectProblem(await ask(route, ADMIN_KEY), "forbidden", 403)
  })
})

/** Numbers above what the scope did. */
const greatNumbers = (value: unknown): ReadonlyArray<number> => {
  if (typeof value === "number") return value >= MANY ? [value] : []
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(greatNumbers) : []
}

const reports = (rights: ReadonlyArray<Right>) =>
  secured().filter(
    ({ method, right, inPath }) => method === "GET" && inPath.length === 0 && rights.includes(right),
  )

describe("with every grant that there is", () => {
  it.each(ROLES.filter((role) => role !== "super_admin"))(
    "a %s sees no more than can be granted",
    async (role) => {
      await expectClosed(granted, role, [...alwaysOf(role), ...grantableTo(role)])
    },
  )

  it.each([
    ["manager", /theirs/u],
    ["member", /theirs|boss/u],
  ] as const)("a %s sees nobody beyond the scope, whatever is filtered by", async (role, beyond) => {
    const seen: Array<string> = []
    for (const route of reports(grantableTo(role)))
      for (const given of [
        {},
        { user_id: "u_theirs" },
        { team_id: "t_theirs" },
        { user_email: "u_theirs@example.org" },
        { by: "team" },
        { limit: "1" },
      ]) {
        if (!Object.keys(given).every((name) => name in route.parameters)) continue
        const got = await ask(route, keyOf(granted, role), given)
        const where = `${route.name} ${JSON.stringify(given)}`
        expect(got.status, `${where} ${JSON.stringify(got.body)}`).toBe(200)
        const { meta: _, ...said } = got.body
        expect(saidBy(got.body), where).not.toMatch(beyond)
        expect(greatNumbers(said), where).toEqual([])
        if (saidBy(got.body).includes("u_self")) seen.push(route.name)
      }
    expect(new Set(seen).size, "reports in which somebody is seen at all").toBeGreaterThan(3)
  })

  it("a super admin sees them, so the looks above could have found them", async () => {
    const found = new Set<string>()
    for (const route of reports(["see_insights", "see_actions"])) {
      const got = await ask(route, keyOf(granted, "super_admin"))
      expect(got.status, route.name).toBe(200)
      const { meta: _, ...said } = got.body
      if (saidBy(got.body).includes("theirs") || greatNumbers(said).length > 0) found.add(route.name)
    }
    expect([...found]).toEqual(
      expect.arrayContaining([
        "GET /v1/reports/user-insights/summary",
        "GET /v1/reports/user-insights/users",
        "GET /v1/reports/user-insights/teams",
        "GET /v1/reports/user-insights/timeseries",
        "GET /v1/actions",
      ]),
    )
  })

  it("a recruiter sees clients and the log of everybody, and no insights", async () => {
    const seen = await Promise.all(
      reports(grantableTo("recruiter")).map((route) => ask(route, keyOf(granted, "recruiter"))),
    )
    expect(seen.map(({ status }) => status)).toEqual(seen.map(() => 200))
    expect(seen.map(({ body }) => saidBy(body)).join()).toMatch(/u_theirs.*c_1|c_1.*u_theirs/su)
  })
})
