// What a request says reaches the store as parameters and nowhere else.
import { beforeAll, describe, expect, it } from "vitest"
import { METRICS } from "#schemas/catalogue.ts"
import { makeApp } from "../app.ts"
import { ADMIN_KEY, newTenant, testApp } from "../test-app.ts"
import { overheard } from "../test-overheard.ts"
import { putActions, putTenant, putUsers } from "../test-rows.ts"

const { call, keyFor, publisher, services } = testApp()
const tenant = newTenant()
let key: string
const ask = async (path: string): Promise<ReadonlyArray<string>> => {
  const { over, statements } = overheard(services())
  const options = { publisher: publisher(), adminKey: ADMIN_KEY, maxClockAhead: 0, maxAge: 0 }
  const app = makeApp({ services: over, ...options })
  const response = await app.request(path, { headers: { Authorization: `Bearer ${key}` } })
  expect(response.status, `${path} ${await response.text()}`).toBe(200)
  return statements.toSorted()
}

const MARK = "h4rmful"
const HOSTILE = [
  `${MARK}' OR 1=1; DROP TABLE tidemark.actions; --`,
  `${MARK}\\`,
  `${MARK}\\'`,
  `${MARK}"\n\t\r\0`,
  `${MARK}{tenant:String}`,
  `${MARK}%' UNION ALL SELECT 'ü✓`,
  `['${MARK}']`,
  "\\N",
  "NULL",
]

const RANGE = "from=2026-10-01&to=2026-10-31"
const INSIGHTS = "/v1/reports/user-insights"

beforeAll(async () => {
  key = await keyFor(tenant)
  await putTenant(tenant, "UTC")
  await putUsers(tenant, { [HOSTILE[0] ?? ""]: { team_ids: HOSTILE }, u_1: {} })
  await putActions(
    tenant,
    "UTC",
    HOSTILE.map((text, index) => ({
      id: `e-${index}`,
      type: "note.logged",
      time: "2026-10-10T10:00:00.000Z",
      actor_id: HOSTILE[0] ?? "",
      client_id: text,
      candidate_id: text,
      job_id: text,
    })),
  )
})

const query = (names: ReadonlyArray<string>, values: ReadonlyArray<string>): string =>
  names.flatMap((name) => values.map((value) => `${name}=${encodeURIComponent(value)}`)).join("&")

const PEOPLE = ["team_id", "user_email", "user_id"]
const LOG = ["client_id", "user_id", "user_email", "candidate_id", "job_id"]

describe.each([
  [`${INSIGHTS}/summary`, PEOPLE],
  [`${INSIGHTS}/users`, PEOPLE],
  ["/v1/reports/targets", PEOPLE],
  [`${INSIGHTS}/teams`, PEOPLE],
  [`${INSIGHTS}/timeseries`, PEOPLE],
  ["/v1/reports/leaderboard?metric=logins", PEOPLE],
  ["/v1/reports/adoption", PEOPLE],
  ["/v1/reports/licenses", PEOPLE],
  ["/v1/reports/client-engagement", ["client_id", "job_id"]],
  ["/v1/actions", LOG],
])("%s", (path, names) => {
  const mark = path.includes("?") ? "&" : "?"
  it("asks the same of the store whatever the values are", async () => {
    const hostile = await ask(`${path}${mark}${RANGE}&${query(names, HOSTILE)}`)
    const plain = await ask(`${path}${mark}from=2026-09-01&to=2026-10-15&${query(names, ["x"])}`)
    expect(hostile.join()).not.toContain(MARK)
    expect(hostile.join()).not.toContain(tenant)
    expect(hostile.join()).not.toContain("2026")
    expect(hostile).toEqual(plain)
  })
})

it("signals ask the same of the store whatever the values are", async () => {
  const names = ["client_id", "job_id"]
  const hostile = await ask(`/v1/signals?${query(names, HOSTILE)}`)
  expect(hostile.join()).not.toContain(MARK)
  expect(hostile).toEqual(await ask(`/v1/signals?${query(names, ["x"])}`))
})

it("what the store holds comes back as it is, and goes back in as a value", async () => {
  const log = await ask(`/v1/actions?${RANGE}&${query(["candidate_id"], HOSTILE)}&limit=3`)
  expect(log.join()).not.toContain(MARK)
  const { body } = await call(`/v1/actions?${RANGE}&${query(["candidate_id"], HOSTILE)}`, key)
  const ids = body.data.map(({ candidate }: { candidate: { id: string } }) => candidate.id)
  expect(ids.toSorted()).toEqual(HOSTILE.toSorted())
  const users = await call(`${INSIGHTS}/users?${RANGE}&${query(["team_id"], HOSTILE)}`, key)
  expect(users.body.data[0]).toMatchObject({ user_id: HOSTILE[0], metrics: { notes_logged: HOSTILE.length } })
})

it("a sort is one of a closed list of expressions", async () => {
  const found = new Set<string>()
  for (const metric of METRICS.slice(0, 3))
    for (const statement of await ask(`${INSIGHTS}/users?${RANGE}&sort=-${metric}`)) found.add(statement)
  const [once] = [await ask(`${INSIGHTS}/users?${RANGE}&sort=-${METRICS.at(-1)}`)]
  expect(found).toEqual(new Set(once))
})
