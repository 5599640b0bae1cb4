import { expect, it } from "vitest"
import { ADMIN_KEY, expectProblem, newTenant, testApp } from "../api/test-app.ts"
import { makeLetters } from "./make-letters.ts"

const { call, keyFor } = testApp()

it("a tenant sees, replays and discards no dead letter of another, by id or in a list; the operator must say whose", async () => {
  const [own, other] = [newTenant(), newTenant()]
  const key = await keyFor(own)
  const [mine = ""] = await makeLetters(own, "mine")
  const [theirs = ""] = await makeLetters(other, "theirs")
  const post = { method: "POST" }
  for (const [path, init] of [
    ["", {}],
    ["/replay", post],
    ["/discard", post],
  ] as const)
    expectProblem(await call(`/v1/dead-letters/${theirs}${path}`, key, init), "not_found", 404)
  expectProblem(await call(`/v1/dead-letters?tenant=${other}`, key), "invalid_parameter", 400)
  expectProblem(await call("/v1/dead-letters", ADMIN_KEY), "invalid_parameter", 400)
  const { body } = await call("/v1/dead-letters", key)
  expect(body.data.map(({ id }: { id: number }) => String(id))).toContain(mine)
  expect(JSON.stringify(body)).not.toContain("theirs")

  const asOperator = await call(`/v1/dead-letters/${theirs}?tenant=${other}`, ADMIN_KEY)
  // Nothing became of it.
  expect(asOperator.body.data).toMatchObject({ state: "open", replays: 0, obstacle: null })
  expect(JSON.parse(asOperator.body.data.payload)).toMatchObject({ data: { page: "theirs" } })
  const replayed = await call(`/v1/dead-letters/${mine}/replay`, key, post)
  expect(replayed.body.data).toMatchObject({ state: "replayed", replays: 1 })
  expect((await call("/v1/dead-letters?state=all&limit=1", key)).body).toMatchObject({
    data: [{ id: Number(mine), state: "replayed" }],
    next_cursor: expect.any(String),
  })
})
