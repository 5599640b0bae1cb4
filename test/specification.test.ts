// Each operation of the specification is called in every way that it documents and that can be brought about, and answers
// as it says. The operations come from the specification: a new one is in these tests by itself.
import { Context, Effect, Exit, Layer, Scope } from "effect"
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest"
import { attemptNats, Nats } from "#nats/connection.ts"
import { Publisher } from "#nats/publisher.ts"
import { BUCKETS } from "#schemas/names.ts"
import { makeApp } from "../api/app.ts"
import { DEFAULT_LIMITS } from "../api/limits/limiter.ts"
import { ADMIN_KEY, expectProblem, type Got, newTenant, servicesOf, testApp } from "../api/test-app.ts"
import {
  bodyErrors,
  completed,
  expectDocumented,
  type Operation,
  OPERATIONS,
  requestOf,
  type Said,
} from "./api-operations.ts"
import { makeExports } from "./make-export.ts"
import { makeWorld, type World } from "./api-world.ts"
import { saidOf } from "./said.ts"

const testing = testApp()
const { app, call, keyFor, services } = testing
const tenant = newTenant()
let world: World
let spareKey: string

const said = (operation: Operation): Said => completed(operation, saidOf(world, spareKey)[operation.name]?.())

const send = (operation: Operation, says: Said, key?: string): Promise<Got> =>
  call(...withKey(requestOf(operation, says), key))

const withKey = (
  [address, init]: ReturnType<typeof requestOf>,
  key: string | undefined,
): [string, string | undefined, RequestInit] => [address, key, init]

const has = (operation: Operation, status: number): boolean => `${status}` in operation.responses
const takesJson = ({ bodies }: Operation): boolean => bodies.length === 1 && bodies[0] === "application/json"

beforeAll(async () => {
  world = await makeWorld(testing, tenant, "specified")
  const spare = await call("/v1/api-keys", world.key, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ role: "producer" }),
  })
  spareKey = spare.body.data.id
  await makeExports(tenant, world.ids.export_id)
})

describe("an operation", () => {
  it("is in the specification when it is served, and served when it is in it", () => {
    const served = app()
      .routes.filter(({ method }) => method !== "ALL")
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/gu, "{$1}")}`)
    expect(OPERATIONS.map(({ name }) => name).toSorted()).toEqual([...new Set(served)].toSorted())
  })

  // A removal comes last: it takes what the others ask for.
  const ordered = OPERATIONS.toSorted(
    (one, other) => Number(one.method === "DELETE") - Number(other.method === "DELETE"),
  )
  it.each(ordered)("$name answers a good call", async (operation) => {
    const says = said(operation)
    const got = await send(operation, says, operation.isSecured ? world.key : undefined)
    expectDocumented(operation, got)
    expect(got.status, JSON.stringify(got.body)).toBeLessThan(300)
    expect(bodyErrors(operation, says.body)).toBe("")
  })

  it.each(OPERATIONS.filter((operation) => has(operation, 304)))("$name answers 304", async (operation) => {
    // Another export than the one that was removed.
    if (operation.path.includes("/exports/")) return
    const says = said(operation)
    const first = await send(operation, says, world.key)
    const again = await send(
      operation,
      { ...says, headers: { "If-None-Match": first.headers.get("ETag") ?? "" } },
      world.key,
    )
    expect(again.status).toBe(304)
    expectDocumented(operation, again)
  })
})

const secured = OPERATIONS.filter(({ isSecured }) => isSecured)

describe("a call that is refused", () => {
  it.each(secured)("$name: without a credential", async (operation) => {
    const got = await send(operation, said(operation))
    expectDocumented(operation, got)
    expectProblem(got, "unauthorized", 401)
  })

  it("by somebody who may not", async () => {
    const keys = await Promise.all((["producer", "member"] as const).map((role) => keyFor(tenant, role)))
    for (const operation of secured) {
      const answers = await Promise.all(keys.map((key) => send(operation, said(operation), key)))
      for (const got of answers) expectDocumented(operation, got)
      expect(
        answers.map(({ status }) => status),
        operation.name,
      ).toContain(403)
    }
  })

  it.each(secured)("$name: with a parameter that it does not have", async (operation) => {
    const { query = [], ...says } = said(operation)
    const got = await send(operation, { ...says, query: [...query, ["nonsense", "1"]] }, world.key)
    expectDocumented(operation, got)
    expectProblem(got, "unknown_parameter", 400)
  })

  const needing = OPERATIONS.filter(({ parameters }) =>
    parameters.some(({ in: place, required }) => place === "query" && required),
  )
  it.each(needing)("$name: without what it needs", async (operation) => {
    const got = await send(operation, { ...said(operation), query: [] }, world.key)
    expectDocumented(operation, got)
    expectProblem(got, "invalid_parameter", 400)
  })

  const paged = OPERATIONS.filter(({ parameters }) => parameters.some(({ name }) => name === "cursor"))
  it.each(paged)("$name: with a cursor that nobody gave", async (operation) => {
    const { query = [], ...says } = said(operation)
    for (const cursor of ["x", Buffer.from('{"of":"","at":{}}').toString("base64url")]) {
      const got = await send(operation, { ...says, query: [...query, ["cursor", cursor]] }, world.key)
      expectDocumented(operation, got)
      expectProblem(got, "invalid_cursor", 400)
    }
  })

  it("where the tenant hides names: by an e-mail address, or in the order of names", async () => {
    const hiding = newTenant()
    const key = await keyFor(hiding)
    await testing.run(
      Effect.flatMap(Nats, ({ kv }) =>
        attemptNats("put", async () =>
          (await kv.open(BUCKETS.tenantSettings)).put(hiding, JSON.stringify({ hide_names: true })),
        ),
      ),
    )
    const takes = ({ parameters }: Operation, named: string, value?: string) =>
      parameters.some(
        ({ name, in: place, schema }) =>
          place === "query" &&
          name === named &&
          (value === undefined || ((schema["enum"] ?? []) as ReadonlyArray<string>).includes(value)),
      )
    const byEmail = secured.filter((operation) => takes(operation, "user_email"))
    expect(byEmail.length).toBeGreaterThan(5)
    for (const operation of byEmail) {
      const { query = [], ...says } = said(operation)
      const got = await send(operation, { ...says, query: [...query, ["user_email", "a@b.example"]] }, key)
      expectDocumented(operation, got)
      expectProblem(got, "names_hidden", 403)
    }
    for (const operation of secured.filter((operation) => takes(operation, "sort", "name"))) {
      const { query = [], ...says } = said(operation)
      const got = await send(operation, { ...says, query: [...query, ["sort", "name"]] }, key)
      expectDocumented(operation, got)
      // A team's name is nobody's.
      expect(got.status).toBe(operation.name.includes("teams") ? 200 : 403)
    }
  })

  it.each(OPERATIONS.filter((operation) => has(operation, 404)))(
    "$name: of something that is not there",
    async (operation) => {
      const nowhere = { id: "00000000-0000-4000-8000-000000000000", subject: "key:0123456789abcdef" }
      const got = await send(operation, { ...said(operation), path: nowhere }, world.key)
      expectDocumented(operation, got)
      expect(got.status).toBe(404)
    },
  )

  it.each(OPERATIONS.filter(({ bodies }) => bodies.length > 0))(
    "$name: with a body that cannot be read",
    async (operation) => {
      const says = said(operation)
      const answers = [
        await send(operation, { ...says, headers: { "Content-Type": "text/plain" } }, world.key),
        await send(operation, { ...says, headers: { "Content-Encoding": "br" } }, world.key),
        await send(operation, { ...says, body: "{" }, world.key),
        await send(operation, { ...says, body: `"${"x".repeat(5 * 1024 * 1024)}"` }, world.key),
      ]
      for (const got of answers) expectDocumented(operation, got)
      expect(answers[0]?.headers.get("Accept")).toContain("application/json")
      expect(answers[1]?.headers.get("Accept-Encoding")).toBe("gzip")
      expect(answers.map(({ status }) => status)).toEqual([
        415,
        415,
        operation.name === "POST /v1/events" ? 422 : 400,
        413,
      ])
    },
  )

  it.each(OPERATIONS.filter(takesJson))("$name: with a body that means nothing", async (operation) => {
    const says = said(operation)
    for (const body of ["null", "[]", '"x"', '{"nonsense":1}']) {
      const got = await send(operation, { ...says, body }, world.key)
      expectDocumented(operation, got)
      expectProblem(got, "invalid_body", got.status)
    }
  })
})

describe("every operation", () => {
  const scope = Effect.runSync(Scope.make())
  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  const asked = async (answering: ReturnType<typeof makeApp>, operation: Operation): Promise<Got> => {
    const [address, init] = requestOf(operation, said(operation))
    const headers = new Headers(init.headers)
    headers.set("Authorization", `Bearer ${world.key}`)
    const response = await answering.request(address, { ...init, headers })
    const text = await response.text()
    const isJson = (response.headers.get("Content-Type") ?? "").includes("json")
    return {
      status: response.status,
      headers: response.headers,
      body: isJson && text !== "" ? JSON.parse(text) : text,
    }
  }
  const OPTIONS = { adminKey: ADMIN_KEY, maxClockAhead: 300_000, maxAge: 1e12 }

  it.each(secured)("$name says when a limit is reached", async (operation) => {
    const limits = {
      ...DEFAULT_LIMITS,
      perSecond: { query_rate: 1e-6, ingest_events: 1e-6, ingest_bytes: 1e-6 },
    }
    const limited = makeApp({ ...OPTIONS, services: services(), publisher: testing.publisher(), limits })
    await asked(limited, operation)
    const got = await asked(limited, operation)
    expect(got.status).toBe(429)
    expectDocumented(operation, got)
  })

  it("says when the store or the broker is away", async () => {
    const built = (url: string) =>
      Effect.runPromise(Layer.buildWithScope(servicesOf(inject("natsUrl"), url), scope))
    const withoutStore = await built("http://127.0.0.1:1")
    const withoutBroker = await built(inject("clickhouseUrl"))
    const { connection } = Context.get(withoutBroker, Nats)
    const publisher = Publisher.open(connection)
    await connection.close()
    const apps = [
      makeApp({ ...OPTIONS, services: withoutStore, publisher: testing.publisher() }),
      makeApp({ ...OPTIONS, services: withoutBroker, publisher }),
    ]
    for (const answering of apps)
      for (const operation of OPERATIONS) {
        const got = await asked(answering, operation)
        expectDocumented(operation, got)
        expect(got.status, `${operation.name} ${JSON.stringify(got.body)}`).not.toBe(500)
      }
  })
})
