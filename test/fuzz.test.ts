// Random calls of every operation of the specification, by every credential: whatever is said, the answer is documented,
// in time, and a refusal has its code. FUZZ_CASES says how many cases, FUZZ_SEED which ones.
import * as fc from "fast-check"
import { beforeAll, expect, it } from "vitest"
import { findJob } from "../api/exports/jobs.ts"
import { renderer } from "../api/exports/test-render.ts"
import { ADMIN_KEY, type Got, newTenant, testApp } from "../api/test-app.ts"
import { bodiesOf } from "./api-bodies.ts"
import {
  completed,
  expectDocumented,
  type Operation,
  OPERATIONS,
  requestOf,
  type Said,
} from "./api-operations.ts"
import { makeWorld } from "./api-world.ts"
import { type Call, callOf, type Material } from "./fuzz-calls.ts"
import { makeExports } from "./make-export.ts"
import { pathOf } from "./stranger.ts"
import { keysOf } from "./stranger-keys.ts"

const testing = testApp()
const { file } = renderer()
let material: Material
let app: Awaited<ReturnType<typeof keysOf>>["app"]

const CASES = Number(process.env["FUZZ_CASES"] ?? 400)
const SEED = Number(process.env["FUZZ_SEED"] ?? Math.floor(Math.random() * 2 ** 31))
/** How long an answer may take. Milliseconds. */
const LIMIT = 3000
/** What is slow because the machine is busy is not slow each time. */
const TRIES = 3
/** Exports that are rendered of those that were taken; each takes as long as many calls. */
const RENDERED = 40

const secured = OPERATIONS.filter(({ isSecured }) => isSecured)
const isPaged = ({ parameters }: Operation) => parameters.some(({ name }) => name === "cursor")

const ask = async ({ address, init, key }: Omit<Call, "operation">): Promise<Got> => {
  const headers = new Headers(init.headers)
  headers.set("Authorization", `Bearer ${key}`)
  const response = await app.request(address, { ...init, headers })
  const body = await response.text()
  const isJson = /[/+]json/u.test(response.headers.get("Content-Type") ?? "") && body !== ""
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(body) : body }
}

/** Asks, and holds the answer against the specification and the clock. */
const expectGood = async (call: Call): Promise<Got> => {
  for (let tries = 1; ; tries++) {
    const began = performance.now()
    const got = await ask(call)
    const took = performance.now() - began
    expect(got.status, JSON.stringify(got.body)).toBeLessThan(500)
    expectDocumented(call.operation, got)
    if (took < LIMIT) return got
    expect(tries, `${call.operation.name} takes ${Math.round(took)} ms each time`).toBeLessThan(TRIES)
  }
}

const say = (operation: Operation, said: Said, key = material.world.key): Promise<Got> => {
  const [address, init] = requestOf(operation, completed(operation, said))
  return expectGood({ operation, address, init, key })
}

/** A list's queries, each with the cursor of its second page. */
const cursorsOf = async (operation: Operation) => {
  const { world } = material
  const orders = operation.parameters.flatMap(({ name, schema, in: place }) => {
    const values = (schema["enum"] ?? []) as ReadonlyArray<string>
    return place === "query" ? values.slice(-2).map((value) => [[name, value] as const]) : []
  })
  const queries: Array<ReadonlyArray<readonly [string, string]>> = []
  for (const order of [[], ...orders]) {
    const { query = [] } = completed(operation, { query: [["limit", "1"], ...order] })
    const { body } = await say(operation, { query, path: pathOf(world, operation) })
    const cursor: unknown = body.next_cursor
    if (typeof cursor === "string") queries.push([...query, ["cursor", cursor]])
  }
  return queries
}

beforeAll(async () => {
  const world = await makeWorld(testing, newTenant(), "fuzzed")
  await makeExports(world.tenant, world.ids.export_id)
  const credentials = await keysOf(world, testing)
  app = credentials.app
  const keys = [...credentials.keys.map(([, key]) => key), ADMIN_KEY]
  material = { world, keys, cursors: new Map(), tags: [] }
  const tagged = secured.filter(({ method, name }) => method === "GET" && !name.includes("/reports/"))
  const tags: Array<string> = []
  for (const operation of tagged) {
    const { headers } = await say(operation, { path: pathOf(world, operation) })
    tags.push(...[headers.get("ETag") ?? ""].filter((tag) => tag !== ""))
  }
  const cursors = new Map<string, Awaited<ReturnType<typeof cursorsOf>>>()
  for (const operation of secured.filter(isPaged)) cursors.set(operation.name, await cursorsOf(operation))
  material = { ...material, cursors, tags }
}, 60_000)

/** The id of what was made. */
const made = async (name: string): Promise<string> => {
  const operation = OPERATIONS.find((candidate) => candidate.name === name) as Operation
  const [body] = bodiesOf(operation, material.world)
  return (await say(operation, { body: JSON.stringify(body) })).body.data.id
}

it.each(secured)("$name takes what it is for", async (operation) => {
  const { world, cursors } = material
  const ids =
    operation.method === "DELETE"
      ? {
          ...world.ids,
          key_id: [await made("POST /v1/api-keys")],
          export_id: [await made("POST /v1/exports")],
        }
      : world.ids
  const path = pathOf({ ...world, ids }, operation)
  const bodies = operation.bodies.length === 0 ? [{}] : bodiesOf(operation, world).map(bodyOf)
  for (const body of bodies) {
    const got = await say(operation, { path, ...body })
    expect(got.status, JSON.stringify(got.body)).toBeLessThan(300)
  }
  for (const query of cursors.get(operation.name) ?? []) {
    const got = await say(operation, { path, query })
    expect(got.status, JSON.stringify(got.body)).toBe(200)
  }
})
const bodyOf = (body: unknown) => ({ body: JSON.stringify(body) })

it(
  `${CASES} random calls are answered as documented, seed ${SEED}`,
  async () => {
    console.log(`FUZZ_SEED=${SEED} FUZZ_CASES=${CASES}`)
    const { world } = material
    const statuses = new Map<number, number>()
    let rendered = 0
    const answers = fc.asyncProperty(callOf(material, secured), async (call) => {
      const got = await expectGood(call)
      statuses.set(got.status, (statuses.get(got.status) ?? 0) + 1)
      if (call.operation.name !== "POST /v1/exports" || got.status !== 202) return
      const { id } = got.body.data
      const job = await testing.run(findJob(world.tenant, id))
      if (job !== undefined && rendered++ < RENDERED) await file(job.record.request, job.record.snapshot)
      // A tenant may have so many exports under way and no more.
      await ask({ address: `/v1/exports/${id}`, init: { method: "DELETE" }, key: world.key })
    })
    const { failed, counterexample, errorInstance } = await fc.check(answers, {
      numRuns: CASES,
      seed: SEED,
      endOnFailure: true,
    })
    const [found] = counterexample ?? []
    const { operation, ...said } = found ?? {}
    expect(failed, `${operation?.name} ${JSON.stringify(said)}\n${String(errorInstance)}`).toBe(false)
    const counted = (from: number, to: number): number =>
      [...statuses].reduce((sum, [status, count]) => (status >= from && status < to ? sum + count : sum), 0)
    // Cases that are all refused at the door would find little.
    expect(counted(200, 300)).toBeGreaterThan(CASES / 4)
    expect(counted(400, 401)).toBeGreaterThan(CASES / 20)
    expect(rendered).toBeGreaterThan(CASES < 200 ? -1 : 0)
  },
  CASES * 2000 + 60_000,
)
