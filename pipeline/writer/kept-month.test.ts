import { expect, it } from "vitest"
import { firstWholeDay, isWhole } from "./kept-month.ts"

it("raw has a month whole for as long as it has its first day whole", () => {
  const end = Date.UTC(2026, 9, 28)
  expect([
    isWhole(202408, end - 1),
    isWhole(202408, end),
    isWhole(202409, end),
    isWhole(202611, end),
    // Of 28 February, 27 months on, rows go on 28 May, and there is no 29th in between.
    isWhole(202403, Date.UTC(2026, 4, 25)),
    isWhole(202403, Date.UTC(2026, 4, 26)),
  ]).toEqual([true, false, true, true, true, false])
})

it.each([
  [Date.UTC(2026, 10, 26, 23, 59), "2024-08-31"],
  [Date.UTC(2026, 10, 1), "2024-08-06"],
  // There is no such day 27 months before.
  [Date.UTC(2026, 4, 31), "2024-03-07"],
])("raw has every row from a day on, seen at %s", (now, day) => {
  expect(firstWholeDay(now)).toBe(day)
})
