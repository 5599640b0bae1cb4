import { expect, it } from "vitest"
import { isWhole } from "./kept-month.ts"

it("raw has a month whole until 27 months after its first instant", () => {
  const end = Date.UTC(2026, 10, 1)
  expect([
    isWhole(202408, end - 1),
    isWhole(202408, end),
    isWhole(202409, end),
    isWhole(202611, end),
  ]).toEqual([true, false, true, true])
})
