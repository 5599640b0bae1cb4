import { Ajv2020 } from "ajv/dist/2020.js"
import { beforeAll, describe, expect, it } from "vitest"
import { DIRECTORY_TYPES } from "#schemas/directory-event.ts"
import { PROBLEM_CODES } from "#schemas/problem.ts"
import packageJson from "../../package.json" with { type: "json" }
import { ADMIN_KEY, newTenant, testApp } from "../test-app.ts"
import { putActions, putLicenses, putTargets, putTeams, putTenant, putUsers } from "../test-rows.ts"

const { app, call, keyFor } = testApp()
const tenant = newTenant()
let key: string
// oxlint-disable-next-line typescript/no-explicit-any -- a document whose form is what is tested
let document: any

beforeAll(async () => {
  key = await keyFor(tenant)
  await putTenant(tenant, "Asia/Kathmandu")
  await putTeams(tenant, { t_1: { name: "One" } })
  await putUsers(tenant, { u_1: { team_ids: ["t_1"] } })
  await putLicenses(tenant, [{ user_id: "u_1", verb: "assigned", time: "2026-01-01T00:00:00.000Z" }])
  await putTargets(tenant, [
    { scope: "everyone", metric: "cv_downloads", period: "week", holds_from: "2026-01-01", value: 5 },
  ])
  await putActions(tenant, "Asia/Kathmandu", [
    {
      id: "1",
      type: "cv.downloaded",
      time: "2026-10-10T10:00:00.000Z",
      actor_id: "u_1",
      candidate_id: "k",
      properties: '{"a":1}',
    },
    {
      id: "2",
      type: "cv.downloaded",
      time: "2026-10-10T10:00:00.000Z",
      actor_id: "cu_1",
      actor_type: "client",
      client_id: "c",
      job_id: "j",
      candidate_id: "k",
    },
  ])
  document = (await call("/openapi.json")).body
})

const validator = (schema: object) => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  ajv.addSchema({ $id: "doc", ...document }, "doc")
  const located = JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"doc#/components'))
  return ajv.compile(located)
}

it("every route is in it and nothing else is", () => {
  const served = app()
    .routes.filter(({ method }) => method !== "ALL")
    .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/gu, "{$1}")}`)
  const described = Object.entries(document.paths as Record<string, object>).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  )
  expect(new Set(described)).toEqual(new Set(served))
})

it("every reference leads somewhere", () => {
  const text = JSON.stringify(document)
  const references = [...text.matchAll(/"\$ref":"([^"]+)"/gu)].map(([, reference = ""]) => reference)
  expect(references.length).toBeGreaterThan(20)
  for (const reference of references) {
    expect(reference).toMatch(/^#\/components\/schemas\//u)
    expect(document.components.schemas).toHaveProperty([reference.slice("#/components/schemas/".length)])
  }
})

it("the closed list of codes is there whole", () => {
  expect(document.components.schemas.Problem.properties.code.enum).toEqual(PROBLEM_CODES)
})

it("a parameter is described as what it is, not as the text of a query", () => {
  const { parameters } = document.paths["/v1/reports/user-insights/users"].get
  const named = (name: string) => parameters.find((parameter: { name: string }) => parameter.name === name)
  expect(named("from")).toMatchObject({ in: "query", required: true, schema: { type: "string" } })
  expect(named("limit")).toMatchObject({
    required: false,
    schema: { type: "integer", minimum: 1, maximum: 500 },
  })
  expect(named("team_id")).toMatchObject({
    style: "form",
    explode: true,
    schema: { type: "array", maxItems: 200 },
  })
  expect(named("sort").schema.enum).toContain("-notes_logged")
})

it("every parameter says what it is for", () => {
  type Operation = { readonly parameters: ReadonlyArray<{ name: string; description?: string }> }
  const described = Object.entries<Record<string, Operation>>(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, { parameters }]) =>
      parameters.map(({ name, description }) => [`${method} ${path} ${name}`, description] as const),
    ),
  )
  expect(described.length).toBeGreaterThan(150)
  for (const [where, description = ""] of described) expect(description, where).toMatch(/\w.*\.$/u)
})

it("days are dates, and whose zone they are in is said", () => {
  const { parameters } = document.paths["/v1/reports/user-insights/summary"].get
  const [from, to, tz] = parameters
  expect([from.schema.format, to.schema.format]).toEqual(["date", "date"])
  expect(tz).toMatchObject({
    name: "tz",
    description: expect.stringContaining("the tenant's own when absent"),
  })
})

it("every operation is in one of the areas that are listed", () => {
  type Operation = { readonly tags: ReadonlyArray<string> }
  const used = Object.values<Record<string, Operation>>(document.paths).flatMap((operations) =>
    Object.values(operations).map(({ tags }) => tags),
  )
  const listed = document.tags.map(({ name }: { name: string }) => name)
  for (const tags of used) expect(tags).toHaveLength(1)
  expect([...new Set(used.flat())].toSorted()).toEqual(listed.toSorted())
})

it("the version is the package's", () => {
  expect(document.info.version).toBe(packageJson.version)
})

it("events are described by the contract's own schemas", () => {
  const { content } = document.paths["/v1/events"].post.requestBody
  expect(content["application/json"].schema).toEqual({ $ref: "#/components/schemas/ActionEvent" })
  expect(
    document.components.schemas.DirectoryEvent.anyOf ?? document.components.schemas.DirectoryEvent.oneOf,
  ).toHaveLength(DIRECTORY_TYPES.length)
})

const RANGE = "from=2026-10-01&to=2026-10-31"

describe("an answer is what it says", () => {
  it.each([
    ["/v1/reports/user-insights/summary", RANGE],
    ["/v1/reports/user-insights/users", `${RANGE}&targets=true`],
    ["/v1/reports/user-insights/summary", `${RANGE}&compare=previous`],
    ["/v1/reports/user-insights/users", RANGE],
    ["/v1/reports/user-insights/teams", RANGE],
    ["/v1/reports/leaderboard", `${RANGE}&metric=cv_downloads`],
    ["/v1/reports/leaderboard", `${RANGE}&metric=active_days&by=team`],
    ["/v1/reports/adoption", "from=2026-01-01&to=2026-01-31"],
    ["/v1/reports/licenses", RANGE],
    ["/v1/reports/user-insights/timeseries", `${RANGE}&metric=active_users&metric=cv_downloads`],
    ["/v1/reports/client-engagement", RANGE],
    ["/v1/signals", ""],
    ["/v1/reports/targets", RANGE],
    ["/v1/targets", ""],
    ["/v1/targets/history", ""],
    ["/v1/actions", RANGE],
    ["/v1/catalog", ""],
    ["/v1/exports", ""],
    ["/healthz", ""],
    ["/readyz", ""],
    ["/openapi.json", ""],
  ])("%s %s", async (path, query) => {
    const { status, body } = await call(`${path}?${query}`, key)
    expect(status).toBe(200)
    const validate = validator(document.paths[path].get.responses[200].content["application/json"].schema)
    expect(validate(body), JSON.stringify(validate.errors)).toBe(true)
    expect(validate({}), "an empty answer").toBe(path === "/openapi.json")
  })

  it("a problem of a status that is in the list of the call", async () => {
    const cases = [
      ["/v1/actions", "get", ""],
      ["/v1/actions", "get", `${RANGE}&cursor=x`],
      ["/v1/reports/user-insights/summary", "get", "nope=1"],
      ["/v1/events/batch", "post", ""],
    ] as const
    for (const [path, method, query] of cases) {
      const { status, body } = await call(`${path}?${query}`, ADMIN_KEY, { method: method.toUpperCase() })
      const answer = document.paths[path][method].responses[status]
      expect(answer, `${path} ${status}`).toBeDefined()
      expect(answer.description).toContain(body.code)
      const validate = validator(answer.content["application/problem+json"].schema)
      expect(validate(body), JSON.stringify(validate.errors)).toBe(true)
    }
  })
})
