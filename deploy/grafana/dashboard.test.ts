// The provisioned dashboard: its queries run as a tenant's BI user that sees no names, with Grafana's macros expanded.
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { parse } from "yaml"
import { CATALOGUE } from "#schemas/catalogue.ts"
import {
  putActions,
  putClients,
  putJobs,
  putLicenses,
  putTeams,
  putTenant,
  putUsers,
} from "../../api/test-rows.ts"
import { ask, type Asking } from "../../test/ask-store.ts"
import { asBiUser, BI_TENANTS } from "../../test/bi-users.ts"
import { compose } from "../../test/compose.ts"
import { type Asked, expand } from "../../test/grafana-macros.ts"
import dashboard from "./dashboards/tidemark.json" with { type: "json" }

const tenant = BI_TENANTS.dashboard
const text = (file: string): string => readFileSync(join(import.meta.dirname, file), "utf8")
const source = (parse(text("provisioning/datasources/tidemark.yaml")) as { datasources: [Source] })
  .datasources[0]
interface Source {
  readonly uid: string
  readonly type: string
  readonly jsonData: Readonly<Record<string, string | number>>
}

/** As the plugin asks: with the timeout of the data source. */
const asGrafana: Asking = {
  ...asBiUser(tenant, false),
  fields: { max_execution_time: String(source.jsonData["queryTimeout"]), database: "bi" },
}

const DAY = 86_400_000
const at = (ago: number): string => new Date(Date.now() - ago * DAY).toISOString()

beforeAll(async () => {
  await putTenant(tenant, "UTC")
  await putTeams(tenant, { "t'1": { name: "Sales" }, t_2: { name: "Delivery" }, t_3: { name: "Sales" } })
  await putUsers(tenant, {
    ana: { team_ids: ["t'1"] },
    ben: { team_ids: ["t_2"] },
    cid: {},
    dan: { team_ids: ["t_3"] },
  })
  await putClients(tenant, { c_1: { name: "Globex" } })
  await putJobs(tenant, { j_1: { title: "Engineer", client_id: "c_1" } })
  await putLicenses(tenant, [
    ...["ana", "ben", "cid"].map((user_id) => ({ user_id, verb: "assigned", time: at(20) }) as const),
    { user_id: "dan", verb: "assigned", time: at(80) },
    { user_id: "dan", verb: "disabled", time: at(40) },
  ])
  const note = (id: string, ago: number, actor_id: string, more: object = {}) => ({
    id,
    type: "note.logged",
    time: at(ago),
    actor_id,
    ...more,
  })
  await putActions(tenant, "UTC", [
    note("1", 3, "ana", { quantity: 5 }),
    note("2", 2, "ben", { quantity: 2 }),
    note("3", 2, "cid"),
    note("4", 2, "ben", { automated: true }),
    note("6", 60, "dan", { quantity: 3 }),
    note("7", 59, "ana"),
    {
      ...note("5", 1, "kim", { actor_type: "client", client_id: "c_1", job_id: "j_1", candidate_id: "k" }),
      type: "candidate_profile.viewed",
    },
  ])
})

const month = (variables: Asked["variables"]): Asked => ({
  from: new Date(Date.now() - 30 * DAY),
  to: new Date(),
  interval: 86_400,
  variables: { metric: ["notes_logged"], ...variables },
})
const all = month({ team: "all" })
const sales = month({ team: ["t'1"] })
/** Before there were today's licences. */
const before = (team: "all" | ReadonlyArray<string>): Asked => ({
  ...month({ team }),
  from: new Date(Date.now() - 70 * DAY),
  to: new Date(Date.now() - 50 * DAY),
})

const panel = (title: string) => dashboard.panels.find((one) => one.title === title)
const answer = (title: string, asked: Asked) =>
  ask<Record<string, unknown>>(expand(panel(title)?.targets[0]?.rawSql ?? "", asked), asGrafana)

describe("every query", () => {
  const targets = dashboard.panels.flatMap(({ title, targets: its }) =>
    its.map((target) => ({ title, ...target })),
  )

  it("there are twelve, of the provisioned data source", () => {
    expect(targets).toHaveLength(12)
    const used = [...dashboard.panels, ...targets, ...dashboard.templating.list].map(
      ({ datasource }) => datasource,
    )
    for (const datasource of used) expect(datasource).toEqual({ type: source.type, uid: source.uid })
  })

  it.each(targets)("$title", async ({ rawSql, queryType }) => {
    for (const asked of [
      all,
      sales,
      month({ team: ["t'1", "t_2"] }),
      { ...all, from: new Date(Date.now() - 365 * DAY), interval: 7 * 86_400 },
    ]) {
      const rows = await ask<Record<string, unknown>>(expand(rawSql, asked), asGrafana)
      expect(rows.length).toBeGreaterThan(0)
      const times = queryType === "timeseries" ? rows.map(({ time }) => Date.parse(String(time))) : []
      expect(times).toEqual(times.toSorted((one, other) => one - other))
      expect(times).not.toContain(Number.NaN)
    }
  })

  it.each(dashboard.templating.list)("variable $name", async ({ query, name }) => {
    const rows = await ask<Record<string, unknown>>(query, asGrafana)
    // The plugin takes the first column for the value and the second for what is shown.
    for (const row of rows) expect(Object.keys(row)).toHaveLength(2)
    expect(rows).toHaveLength(name === "metric" ? CATALOGUE.actions.length : 3)
  })
})

describe("what they show", () => {
  const last = async (title: string, asked: Asked) => {
    const { time: _, ...row } = (await answer(title, asked)).at(-1) ?? {}
    return row
  }

  it("all teams", async () => {
    expect(await answer("Licences", all)).toEqual([{ total_licenses: 3 }])
    expect(await answer("Activity ratio", all)).toEqual([{ activity_ratio: 1 }])
    expect(await answer("Active users", all)).toEqual([{ active_users: 3 }])
    expect(await answer("What members do", all)).toEqual([{ action: "Note logged", quantity: 8 }])
    expect(await last("Licences and who uses them", all)).toEqual({
      licences: 3,
      active: 0,
      active_without: 0,
    })
  })

  it("one team", async () => {
    expect(await answer("Licences", sales)).toEqual([{ total_licenses: 1 }])
    expect(await answer("Active users", sales)).toEqual([{ active_users: 1 }])
    const byTeam = await answer("$metric by team", sales)
    expect(byTeam.map(({ team, quantity }) => [team, quantity])).toEqual([["Sales", 5]])
    expect(await answer("Teams", sales)).toMatchObject([
      { team: "Sales", members: 1, licences: 1, active: 1 },
    ])
    expect(
      (await answer("Licences and who uses them", sales)).map(({ licences, active }) => [licences, active]),
    ).toEqual(Array.from({ length: 21 }, (_, i) => [1, i === 17 ? 1 : 0]))
    expect((await answer("Busy hours", sales)).map(({ actions }) => actions)).toEqual([1])
  })

  it("a range that is over: its licences, not today's", async () => {
    expect(await answer("Licences", before("all"))).toEqual([{ total_licenses: 1 }])
    expect(await answer("Activity ratio", before("all"))).toEqual([{ activity_ratio: 1 }])
    expect(await answer("Activity ratio", before(["t_2"]))).toEqual([{ activity_ratio: null }])
    const used = await answer("Licences and who uses them", before("all"))
    expect(
      used.filter(({ active, active_without }) => Number(active) + Number(active_without) > 0),
    ).toMatchObject([
      { licences: 1, active: 1, active_without: 0 },
      { licences: 1, active: 0, active_without: 1 },
    ])
  })

  it("teams of one name apart", async () => {
    const byTeam = await answer("$metric by team", before("all"))
    expect(byTeam.map(({ team, quantity }) => [team, quantity])).toEqual([
      ["Sales (t_3)", 3],
      ["Sales (t'1)", 1],
    ])
    expect(await answer("Teams", before("all"))).toMatchObject([
      { team_id: "t_2", team: "Delivery", licences: 0, active: 0 },
      { team_id: "t'1", team: "Sales", members: 1, licences: 0, active: 1 },
      { team_id: "t_3", team: "Sales", members: 1, licences: 1, active: 1 },
    ])
  })

  it("where the chosen team makes no difference, the panel says so", () => {
    for (const { description, targets } of dashboard.panels)
      expect(description.includes("whatever team is chosen")).toBe(!targets[0]?.rawSql.includes("$team"))
  })

  it("clients and automation", async () => {
    expect(await answer("Clients that look and do not schedule", all)).toMatchObject([
      { client: "Globex", job: "Engineer", profiles_viewed: 1, cv_downloads: 0 },
    ])
    const series = await answer("Actions by hand and by programs", all)
    expect(series.reduce((sum, { by_programs }) => sum + Number(by_programs), 0)).toBe(1)
  })
})

it("the files are where docker-compose.yml puts them, with a user from its settings", () => {
  const { grafana } = compose().services
  expect(grafana.volumes).toEqual([
    "./deploy/grafana/provisioning:/etc/grafana/provisioning:ro",
    "./deploy/grafana/dashboards:/var/lib/grafana/dashboards:ro",
    "grafana-data:/var/lib/grafana",
  ])
  expect(text("provisioning/dashboards/tidemark.yaml")).toContain("path: /var/lib/grafana/dashboards\n")
  expect(grafana.environment?.["GF_PLUGINS_PREINSTALL_SYNC"]).toMatch(
    new RegExp(`^${source.type}@\\d+\\.\\d+\\.\\d+$`, "u"),
  )
  for (const name of ["BI_USER", "BI_PASSWORD"]) {
    expect(text("provisioning/datasources/tidemark.yaml")).toContain(`$${name}\n`)
    expect(grafana.environment).toHaveProperty(name)
  }
  expect(source.jsonData["host"]).toBe("clickhouse")
})
