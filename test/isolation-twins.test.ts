// Two tenants whose users, teams, clients, candidates, jobs and events have the same ids, as those of small integers do.
// Whoever joins by an id alone says the other's name, or counts its numbers.
import { beforeAll, describe, expect, it } from "vitest"
import { renderer } from "../api/exports/test-render.ts"
import { testApp } from "../api/test-app.ts"
import { completed, OPERATIONS } from "./api-operations.ts"
import { makeStranger, OWN_MARK, pathOf, type Stranger } from "./stranger.ts"
import { expectOwnFiles } from "./stranger-exports.ts"

const testing = testApp()
const { file } = renderer()
let stranger: Stranger

const reading = OPERATIONS.filter(({ isSecured, method }) => isSecured && method === "GET")

beforeAll(async () => {
  stranger = await makeStranger(testing, { haveSameIds: true })
}, 120_000)

describe("of a tenant with the same ids", () => {
  it("nothing is in what was seen before it was there", { timeout: 60_000 }, async () => {
    const { own, keys, ownBefore, everythingOf } = stranger
    for (const [n, [name, key]] of keys.entries())
      expect(await everythingOf(own, key), name).toEqual(ownBefore[n])
  })

  it.each(reading)("$name says nothing, whatever it is asked about", async (called) => {
    const { own, oneOfEach, send, expectNothing } = stranger
    const ids = new Map<string, ReadonlyArray<string>>(Object.entries(own.ids))
    const filters = called.parameters.filter(
      ({ in: place, name }) => place === "query" && (ids.has(name) || name === "targets"),
    )
    for (const [name, key] of oneOfEach)
      for (const filter of [undefined, ...filters]) {
        const values = filter === undefined ? [] : (ids.get(filter.name) ?? ["true"])
        const query = values.map((value) => [filter?.name ?? "", value] as const)
        const answer = await send(called, completed(called, { path: pathOf(own, called), query }), key)
        expectNothing(answer, [], `${name} ${called.name} ${filter?.name}`)
      }
  })

  const byEmail = reading.filter(({ parameters }) => parameters.some(({ name }) => name === "user_email"))
  it.each(byEmail)("$name finds nobody by an e-mail address", async (called) => {
    const { theirs, oneOfEach, expectAlike } = stranger
    const emails = theirs.ids.user_email
    for (const [name, key] of oneOfEach)
      await expectAlike(
        called,
        key,
        (value) => ({ query: emails.map((email) => ["user_email", value(email)] as const) }),
        emails,
        `${name} ${called.name}`,
      )
  })

  it("no file holds anything", { timeout: 120_000 }, async () => {
    const rows = await expectOwnFiles(stranger, testing, file)
    // The ids are one's own as well, so there is something in nearly all of them.
    expect([...rows.values()].filter((count) => count > 0).length).toBeGreaterThan(rows.size / 2)
  })

  it("something would be seen", () => {
    expect(JSON.stringify(stranger.ownBefore[0])).toContain(OWN_MARK)
  })
})
