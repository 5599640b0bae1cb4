// Headers of refusals that only an export can bring about; those of every other answer are in specification.test.ts.
import { beforeAll, expect, it } from "vitest"
import { expectProblem, newTenant, testApp } from "../api/test-app.ts"
import { completed, expectDocumented, OPERATIONS, requestOf, type Said } from "./api-operations.ts"
import { makeWorld, type World } from "./api-world.ts"
import { makeExports } from "./make-export.ts"

const testing = testApp()
const tenant = newTenant()
let world: World
beforeAll(async () => {
  world = await makeWorld(testing, tenant, "headers")
})

const download = async (headers: Said["headers"] = {}) => {
  const operation = OPERATIONS.find(({ name }) => name === "GET /v1/exports/{id}/download")
  if (operation === undefined) throw new Error("there is no download")
  const [id = ""] = world.ids.export_id
  const [address, init] = requestOf(operation, completed(operation, { path: { id }, headers }))
  const got = await testing.call(address, world.key, init)
  expectDocumented(operation, got)
  return got
}

it("a download says when to ask again, which bytes there are, and of what it has not sent", async () => {
  const early = await download()
  expectProblem(early, "export_not_ready", 409)
  expect(early.headers.get("Retry-After")).toBe("2")
  await makeExports(tenant, world.ids.export_id)
  const beyond = await download({ Range: "bytes=99999999-" })
  expectProblem(beyond, "range_not_satisfiable", 416)
  expect(beyond.headers.get("Content-Range")).toMatch(/^bytes \*\/\d+$/u)
  expect((await download({ Range: "bytes=0-4" })).status).toBe(206)
  const { headers } = await download()
  const unchanged = await download({ "If-None-Match": headers.get("ETag") ?? "" })
  expect(unchanged.status).toBe(304)
})
