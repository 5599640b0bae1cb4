import { expect, it } from "vitest"
import { firstWholeDay, isWhole } from "./kept-month.ts"

it("raw has a month whole until two days before 27 months after its first instant", () => {
  const end = Date.UTC(2026, 9, 30)
  expect([
    isWhole(202408, end - 1),
    isWhole(202408, end),
    isWhole(202409, end),
    isWhole(202611, end),
  ]).toEqual([true, false, true, true])
})

it.each([
  [Date.UTC(2026, 10, 26, 23, 59), "2024-08-30"],
  [Date.UTC(2026, 10, 1), "2024-08-05"],
  // There is no such day 27 months before.
  [Date.UTC(2026, 4, 31), "2024-03-06"],
])("raw has every row from a day on, seen at %s", (now, day) => {
  expect(firstWholeDay(now)).toBe(day)
})
