import { describe, expect, it } from "vitest"
import { actionRow } from "../../test/action-row.ts"
import { byPartitions } from "./insert.ts"

const inMonth = (month: number, seq: number) => actionRow({ seq, time: Date.UTC(2025, month, 15) })
const seqs = (groups: ReturnType<typeof byPartitions>) => groups.map((group) => group.map(({ seq }) => seq))

describe("rows are inserted", () => {
  it("not at all when there are none", () => {
    expect(byPartitions([])).toEqual([])
  })

  it("in one go while they touch twelve months at most", () => {
    const rows = Array.from({ length: 24 }, (_, n) => inMonth(n % 12, n))
    expect(byPartitions(rows)).toEqual([rows])
  })

  it("in groups of twelve months, each row once, in order within its month", () => {
    const rows = Array.from({ length: 50 }, (_, n) => inMonth(n % 25, n))
    const groups = byPartitions(rows)
    expect(groups.length).toBe(3)
    expect(
      seqs(groups)
        .flat()
        .toSorted((a, b) => a - b),
    ).toEqual(rows.map(({ seq }) => seq))
    for (const group of groups) {
      const months = new Set(group.map(({ time }) => new Date(time).toISOString().slice(0, 7)))
      expect(months.size).toBeLessThanOrEqual(12)
      for (const month of months) {
        const some = group.filter(({ time }) => new Date(time).toISOString().startsWith(month))
        expect(some.map(({ seq }) => seq)).toEqual(some.map(({ seq }) => seq).toSorted((a, b) => a - b))
      }
    }
    // No month lies in two groups.
    const all = groups.flatMap((group) => [...new Set(group.map(({ time }) => time))])
    expect(new Set(all).size).toBe(all.length)
  })

  it("by UTC months, whatever the local day", () => {
    const last = actionRow({ seq: 1, time: Date.parse("2026-01-31T23:59:59.999Z") })
    const first = actionRow({ seq: 2, time: Date.parse("2026-02-01T00:00:00.000Z") })
    const others = Array.from({ length: 11 }, (_, n) => inMonth(n, n + 3))
    expect(seqs(byPartitions([first, last, ...others]))).toEqual([
      [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 1],
      [2],
    ])
  })
})
