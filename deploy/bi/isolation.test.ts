// What a tenant's BI user sees: rows of its tenant alone, in every view, whatever is asked of them.
import { beforeAll, describe, expect, it } from "vitest"
import { ask } from "../../test/ask-store.ts"
import { asBiUser, BI_TENANTS } from "../../test/bi-users.ts"
import { ACCESS_DENIED, codeOf, fill, type Named, READER, seenBy } from "./test-tenants.ts"

const { ours, theirs } = BI_TENANTS
const us = asBiUser(ours)

interface Column {
  readonly table: string
  readonly name: string
  readonly type: string
  readonly comment: string
}
let views: ReadonlyArray<string> = []
let columns: ReadonlyArray<Column> = []

beforeAll(async () => {
  await fill(ours)
  await fill(theirs)
  const named = await ask<Named>("SELECT name FROM system.tables WHERE database = 'bi' ORDER BY name", READER)
  views = named.map(({ name }) => name)
  columns = await ask<Column>(
    "SELECT table, name, type, comment FROM system.columns WHERE database = 'bi' ORDER BY table, name",
    READER,
  )
})

/** Views that other views are made of. */
const HELPERS = new Set(["client_quarters", "members", "tenants_between_zones"])

describe("in every view", () => {
  it("the views are those of bi but for the ones that others are made of", async () => {
    expect(await seenBy(us)).toEqual(views.filter((name) => !HELPERS.has(name)))
    expect(views.length).toBeGreaterThan(15)
  })

  it("there are rows of the tenant, and none of another", async () => {
    for (const name of await seenBy(us)) {
      const text = JSON.stringify(await ask(`SELECT * FROM bi.${name}`, us))
      expect([name, text.length > 2, text.includes(theirs)]).toEqual([name, true, false])
    }
  })

  it("another tenant has rows there, which the operator's reader sees", async () => {
    for (const name of views.filter((view) => !["catalogue", "tenants_between_zones"].includes(view))) {
      // Of that tenant alone: other tests leave a million rows in the store.
      const rows = await ask(`SELECT * FROM bi.${name} WHERE tenant = '${theirs}'`, READER)
      expect([name, rows.length > 0]).toEqual([name, true])
    }
  })

  it("a condition is not even tried on another tenant's rows", async () => {
    const texts = columns.filter(({ type }) => type.includes("String"))
    expect(texts.length).toBeGreaterThan(40)
    for (const table of await seenBy(us)) {
      const tried = texts
        .filter((column) => column.table === table)
        .map(({ name }) => `position(coalesce(${name}, ''), '${theirs}') > 0`)
      const statement = `SELECT count() FROM bi.${table} WHERE throwIf(${tried.join(" OR ")}) = 0`
      expect([table, await codeOf(statement, us)]).toEqual([table, 0])
      // The same question of one's own rows throws, so the question can be heard.
      const own = `SELECT count() FROM bi.${table} WHERE throwIf(${tried.join(" OR ").replaceAll(theirs, ours)}) = 0`
      expect([table, await codeOf(own, us)]).toEqual([table, table === "catalogue" ? 0 : 395])
    }
  })

  it("joins of views are of the tenant's rows", async () => {
    const [row] = await ask(
      `SELECT groupUniqArray(daily.tenant) AS tenants, groupUniqArray(users.name) AS names, groupUniqArray(teams.team_name) AS teams
       FROM bi.user_daily AS daily
       INNER JOIN bi.users AS users ON users.user_id = daily.user_id
       INNER JOIN bi.user_teams AS teams ON teams.user_id = users.user_id
       INNER JOIN bi.action_log AS actions ON actions.actor_id = users.user_id`,
      us,
    )
    expect(row).toEqual({ tenants: [ours], names: [`Name of ${ours}-user`], teams: [`Team of ${ours}`] })
  })
})

describe("without names", () => {
  const anonymous = asBiUser(ours, false)

  it("no view has personal data", async () => {
    const seen = await seenBy(anonymous)
    const personal = new Set(
      columns.filter(({ comment }) => comment.startsWith("Personal")).map(({ table }) => table),
    )
    expect([...personal].toSorted()).toEqual(["action_log", "candidates", "users"])
    expect(seen.toSorted()).toEqual(
      views.filter((name) => !HELPERS.has(name) && !personal.has(name)).toSorted(),
    )
    for (const name of personal)
      expect([name, await codeOf(`SELECT count() FROM bi.${name}`, anonymous)]).toEqual([name, ACCESS_DENIED])
    for (const name of seen)
      expect(JSON.stringify(await ask(`SELECT * FROM bi.${name}`, anonymous))).not.toMatch(
        /Name of bi-ours-user|Candidate of|@example/u,
      )
  })
})
