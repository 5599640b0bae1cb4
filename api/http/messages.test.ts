import { beforeAll, describe, expect, it } from "vitest"
import { expectProblem, newTenant, testApp } from "../test-app.ts"

const { call, keyFor } = testApp()
let key: string
beforeAll(async () => {
  key = await keyFor(newTenant())
})

const RANGE = "from=2026-10-01&to=2026-10-31"
const INSIGHTS = "/v1/reports/user-insights"
const WHERE = "`errors` lists what can be said, as does /openapi.json"

describe("a refused parameter is told in words", () => {
  const detailOf = async (address: string): Promise<string> => {
    const got = await call(address, key)
    expectProblem(got, "invalid_parameter", 400)
    return got.body.detail
  }

  it.each([
    [`${INSIGHTS}/summary?to=2026-10-31`, "from: It is required."],
    [
      `${INSIGHTS}/summary?from=2026-10-1&to=2026-10-31`,
      "from: Expected a calendar day from 2000-01-01 to 2100-12-31.",
    ],
    [`${INSIGHTS}/users?${RANGE}&sort=nme`, 'sort: There is no "nme", did you mean name?'],
    [`${INSIGHTS}/users?${RANGE}&sort=-Email`, 'sort: There is no "-Email", did you mean -email?'],
    [`${INSIGHTS}/users?${RANGE}&sort=espresso`, 'sort: There is no "espresso".'],
    [`${INSIGHTS}/users?${RANGE}&sort=name&sort=email`, "sort: It can be given once only."],
    [`${INSIGHTS}/timeseries?${RANGE}&interval=dy`, 'interval: There is no "dy", did you mean day?'],
    [
      `${INSIGHTS}/timeseries?${RANGE}&metric=logins&metric=cv_download`,
      'metric: There is no "cv_download", did you mean cv_downloads?',
    ],
    [
      `${INSIGHTS}/timeseries?${RANGE}&metric=logins,searches`,
      'metric: There is no "logins,searches"; of several, each is given by itself.',
    ],
    [`/v1/reports/targets?${RANGE}&subject=team&user_id=u`, "user_id: Leave it out: with subject=team"],
  ])("%s", async (address, detail) => {
    expect((await detailOf(address)).startsWith(detail)).toBe(true)
  })

  it("with a closed list once, and where else it is", async () => {
    const { body } = await call(`${INSIGHTS}/users?${RANGE}&sort=nme`, key)
    expect(body.errors).toEqual([
      {
        parameter: "sort",
        detail: expect.stringMatching(/^Expected one of user_id, name, email, .*-referrals$/u),
      },
    ])
    expect(body.hint).toBe(`${WHERE}; GET /v1/catalog says what it means.`)
    const other = await call(`${INSIGHTS}/summary?${RANGE}&license_basis=ever`, key)
    expect(other.body.errors).toEqual([
      { parameter: "license_basis", detail: "Expected one of end, any, whole" },
    ])
    expect(other.body.hint).toBe(`${WHERE}.`)
  })
})

describe("a refused body is told what to do", () => {
  const send = (method: string, address: string, body: unknown) =>
    call(address, key, {
      method,
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    })
  const target = { metric: "cv_downloads", period: "week", scope: "everyone", value: 5 }

  it.each([
    [
      "PUT",
      "/v1/targets",
      { ...target, scope: "team" },
      "team_id: It is required: a target of the scope team has a team_id.",
    ],
    [
      "PUT",
      "/v1/targets",
      { ...target, team_id: "t" },
      "team_id: Leave it out: a target of the scope everyone has no team_id.",
    ],
    ["PUT", "/v1/targets", { ...target, value: undefined }, "value: It is required."],
    ["PUT", "/v1/targets", { ...target, perod: "week" }, 'perod: There is no "perod", did you mean period?'],
    ["PUT", "/v1/settings", null, "the body: Expected an object."],
    [
      "PUT",
      "/v1/grants/role:manager",
      { rights: ["see_action"] },
      'rights.0: There is no "see_action", did you mean see_actions?',
    ],
    ["POST", "/v1/api-keys", { role: "manager" }, "user: A manager's key needs the user whom it stands for."],
  ])("%s %s %j", async (method, address, body, detail) => {
    const got = await send(method, address, body)
    expectProblem(got, "invalid_body", 400)
    expect(got.body.detail).toBe(detail)
  })

  it("that is too large, to send less at once where several events were sent", async () => {
    const hintOf = async (method: string, address: string) => {
      const got = await send(method, address, "x".repeat(5 * 1024 * 1024))
      expectProblem(got, "body_too_large", 413)
      return got.body.hint
    }
    const taken = (bytes: number) => `At most ${bytes} bytes are taken, counted after decompression.`
    expect(await hintOf("PUT", "/v1/settings")).toBe(taken(65_536))
    expect(await hintOf("POST", "/v1/events")).toBe(taken(262_144))
    expect(await hintOf("POST", "/v1/events/batch")).toBe(
      `${taken(4_194_304)} Send the events in several requests.`,
    )
  })
})
