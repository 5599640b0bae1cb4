// Where a tenant hides names no answer holds one, whichever route there is.
import { Effect, Exit, Layer, Scope } from "effect"
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest"
import { Nats } from "#nats/connection.ts"
import { natsFiles } from "../exports/nats-files.ts"
import { exportCalls } from "../exports/test-exporter.ts"
import { readParquet, readXlsx } from "../exports/test-render.ts"
import { runExporter } from "../exports/worker.ts"
import { type Got, newTenant, storeAs, testApp } from "../test-app.ts"
import {
  putActions,
  putCandidates,
  putClients,
  putJobs,
  putLicenses,
  putTeams,
  putTenant,
  putUsers,
} from "../test-rows.ts"
import { addressOf, routeTable, saidBy, type TableRoute } from "../test-routes.ts"

const { app, call, keyFor, publisher, services } = testApp()
const { until } = exportCalls(call)
const scope = Effect.runSync(Scope.make())
/** The same people in both; the one hides their names. */
const [open, hiding] = [newTenant(), newTenant()]
const keys = new Map<string, string>()
const exported = new Map<string, ReadonlyArray<string>>()
let table: ReadonlyArray<TableRoute>

const JSON_BODY = { "Content-Type": "application/json" }
const RANGE = { from: "2026-10-01", to: "2026-10-31" }
/** Part of every name and address of a person, and of nothing else. */
const PERSONAL = /zebra/iu

const fill = async (tenant: string): Promise<void> => {
  await putTenant(tenant, "UTC")
  await putTeams(tenant, { t_1: { name: "Sales" } })
  await putUsers(tenant, {
    u_1: { team_ids: ["t_1"], name: "Ana Zebra", email: "ana@zebra.example" },
    u_2: { team_ids: ["t_1"], name: "Ben Zebra", email: "ben@zebra.example" },
    u_idle: { name: "Dia Zebra", email: "dia@zebra.example" },
    u_3: { kind: "client", client_id: "c_1", name: "Cem Zebra", email: "cem@zebra.example" },
  })
  await putClients(tenant, { c_1: { name: "Client" } })
  await putJobs(tenant, { j_1: { title: "Job", client_id: "c_1" } })
  await putCandidates(tenant, { k_1: { name: "Kim Zebra", email: "kim@zebra.example" } })
  await putLicenses(
    tenant,
    ["u_1", "u_idle"].map((user_id) => ({ user_id, verb: "assigned", time: "2026-10-06T00:00:00.000Z" })),
  )
  const time = "2026-10-10T10:00:00.000Z"
  const about = { client_id: "c_1", job_id: "j_1", candidate_id: "k_1" }
  await putActions(tenant, "UTC", [
    { id: "1", type: "contact.created", time, actor_id: "u_1" },
    { id: "2", type: "contact.created", time, actor_id: "u_2" },
    { id: "3", type: "candidate_profile.viewed", time, actor_id: "u_3", actor_type: "client", ...about },
    { id: "4", type: "cv.downloaded", time, actor_id: "u_3", actor_type: "client", ...about },
    { id: "5", type: "candidate.applied", time, actor_id: "k_1", actor_type: "candidate", ...about },
  ])
}

const send = (tenant: string, method: string, path: string, body: object): Promise<Got> =>
  call(path, keys.get(tenant), { method, headers: JSON_BODY, body: JSON.stringify(body) })

/** Asks for exports, each to be downloaded later on. */
const exportsOf = async (tenant: string, filters: object = {}): Promise<ReadonlyArray<string>> => {
  const wanted = ["user_actions", "user_insights"].flatMap((report) =>
    ["csv", "ndjson", "parquet", "xlsx"].map((format) => ({ report, format, ...RANGE, ...filters })),
  )
  const asked = await Promise.all(wanted.map((body) => send(tenant, "POST", "/v1/exports", body)))
  const ids = asked.map(({ body }) => String(body.data.id))
  for (const id of ids) await until(keys.get(tenant) ?? "", id, ({ state }) => state === "completed")
  return ids
}

/** Makes the files, until the tests are over. */
const exporter = Effect.gen(function* () {
  const files = natsFiles(yield* Nats)
  yield* runExporter({ files, ttl: 600_000, lease: 5000, concurrency: 2, perTenant: 2 })
}).pipe(
  Effect.provide(
    Layer.suspend(() =>
      Layer.merge(
        storeAs("tidemark_exporter"),
        Nats.layer({ url: inject("natsUrl"), name: "exporter-test" }),
      ),
    ),
  ),
)

afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

beforeAll(async () => {
  table = routeTable(services(), publisher())
  await Effect.runPromise(exporter.pipe(Effect.forkIn(scope), Effect.asVoid))
  for (const tenant of [open, hiding]) {
    await fill(tenant)
    keys.set(tenant, await keyFor(tenant))
    await keyFor(tenant, "recruiter")
  }
  exported.set(open, await exportsOf(open))
  // Asked for by an address, before names were hidden.
  const early = await exportsOf(hiding, { user_email: ["ana@zebra.example"] })
  await send(hiding, "PUT", "/v1/settings", { hide_names: true })
  // Remembered for two seconds at most.
  const users = `/v1/reports/user-insights/users?from=${RANGE.from}&to=${RANGE.to}`
  while (PERSONAL.test(saidBy((await call(users, keys.get(hiding))).body)));
  exported.set(hiding, [...early, ...(await exportsOf(hiding))])
}, 120_000)

/** Values for the parameters of a path, so that something is there to be seen. */
const placesOf = (route: TableRoute, tenant: string): ReadonlyArray<Readonly<Record<string, string>>> => {
  if (route.inPath.length === 0) return [{}]
  if (route.path.startsWith("/v1/exports")) return (exported.get(tenant) ?? []).map((id) => ({ id }))
  return [{ id: "k_0" }, { subject: "role:manager" }].filter((place) =>
    route.inPath.every((name) => name in place),
  )
}

/** Of many values to choose from: those that are about names, and a few others. */
const telling = (values: ReadonlyArray<string>): ReadonlyArray<string> => [
  ...new Set([
    ...values.filter((value) => /name|mail|title/u.test(value)),
    ...values.slice(0, 2),
    ...values.slice(-1),
  ]),
]

/** Calls of a route with each of its parameters that has values to choose from, whole and in pages of one row. */
const callsOf = (route: TableRoute, tenant: string): ReadonlyArray<string> => {
  const choices = Object.entries(route.parameters).flatMap(([name, { enum: values = [], items }]) =>
    telling([...values, ...(items?.enum ?? [])]).map((value) => ({ [name]: value })),
  )
  const varied = [{}, ...choices, { user_email: "ana@zebra.example" }].filter((given) =>
    Object.keys(given).every((name) => name in route.parameters),
  )
  const paged = "limit" in route.parameters ? varied.map((given) => ({ ...given, limit: "1" })) : []
  return placesOf(route, tenant).flatMap((place) =>
    [...varied, ...paged].map((given) => addressOf(route, { ...place, ...given })),
  )
}

/** What a call says, files of every format included. */
const readAll = async (address: string, tenant: string): Promise<{ status: number; said: string }> => {
  const response = await app().request(address, {
    headers: { Authorization: `Bearer ${keys.get(tenant)}` },
  })
  const bytes = Buffer.from(await response.arrayBuffer())
  const type = response.headers.get("Content-Type") ?? ""
  const { status } = response
  if (type.includes("parquet")) return { status, said: JSON.stringify(await readParquet(bytes)) }
  if (type.includes("spreadsheet")) return { status, said: JSON.stringify(readXlsx(bytes)) }
  const said =
    type.includes("json") && !type.includes("ndjson") ? saidBy(JSON.parse(bytes.toString())) : bytes
  return { status, said: said.toString() }
}

const gets = (): ReadonlyArray<TableRoute> => table.filter(({ method }) => method === "GET")

describe("names", () => {
  it("are in the answers of a tenant that does not hide them, so they could be found", async () => {
    const found = new Set<string>()
    for (const route of gets())
      for (const place of placesOf(route, open))
        if (PERSONAL.test((await readAll(addressOf(route, place), open)).said)) found.add(route.name)
    expect([...found]).toEqual(
      expect.arrayContaining([
        "GET /v1/reports/user-insights/users",
        "GET /v1/reports/leaderboard",
        "GET /v1/reports/licenses",
        "GET /v1/actions",
        "GET /v1/exports/:id/download",
      ]),
    )
  })

  it("are in no answer of one that does, whatever is asked", async () => {
    const [seen, refused] = [new Set<string>(), new Set<string>()]
    for (const route of gets())
      for (const address of callsOf(route, hiding)) {
        const { status, said } = await readAll(address, hiding)
        expect(said, address).not.toMatch(PERSONAL)
        expect(status, `${address} ${said}`).toBeLessThan(500)
        if (status === 200) seen.add(route.name)
        if (said.includes('"names_hidden"')) refused.add(route.name)
      }
    expect(
      gets()
        .filter(({ name }) => !seen.has(name))
        .map(({ name }) => name),
    ).toEqual(["GET /v1/api-keys/:id", "GET /v1/dead-letters/:id"])
    expect([...refused]).toEqual(
      expect.arrayContaining([
        "GET /v1/actions",
        "GET /v1/reports/user-insights/users",
        "GET /v1/exports/:id/download",
      ]),
    )
  }, 300_000)
})
