import { describe, expect, it } from "vitest"
import { actionRow } from "../../test/action-row.ts"
import type { ActionRow } from "./action-row.ts"
import { idKey, type LookUpRule, mayRepeat, sortRepeats, type StoredRow, type StoredRows } from "./repeats.ts"

const T = Date.parse("2026-11-02T12:00:00Z")
const MINUTE = 60_000
const RULE: LookUpRule = { duplicateWindow: 10 * MINUTE, maxClockAhead: 5 * MINUTE, lookUpAllUntil: 0 }

describe("a row may repeat one that the broker has forgotten", () => {
  it.each([
    ["fresh", { time: T, receivedAt: T }, RULE, false],
    ["of a clock that runs ahead", { time: T + 5 * MINUTE, receivedAt: T }, RULE, false],
    ["just below half of W - A late", { time: T, receivedAt: T + 2.5 * MINUTE - 1 }, RULE, false],
    ["half of W - A late", { time: T, receivedAt: T + 2.5 * MINUTE }, RULE, true],
    ["a year late", { time: T - 365 * 86_400_000, receivedAt: T }, RULE, true],
    ["a replay, however fresh", { time: T, receivedAt: T, replayed: true }, RULE, true],
    ["while all are looked up", { time: T, receivedAt: T }, { ...RULE, lookUpAllUntil: T + 1 }, true],
    ["no longer looked up", { time: T, receivedAt: T }, { ...RULE, lookUpAllUntil: T }, false],
  ])("%s", (_, row, rule, may) => {
    expect(mayRepeat(actionRow(row), rule)).toBe(may)
  })

  it("whatever the clocks say within A, and however the window's end falls", () => {
    // The repeat of an event is received at least W after it, and the event at most A before its time.
    for (const ahead of [-MINUTE, 0, 2 * MINUTE, 5 * MINUTE]) {
      const firstReceived = T - ahead
      const repeat = actionRow({ time: T, receivedAt: firstReceived + RULE.duplicateWindow })
      expect(mayRepeat(repeat, RULE)).toBe(true)
    }
  })
})

const stored = (...rows: ReadonlyArray<Partial<StoredRow>>): StoredRows =>
  Map.groupBy(
    rows.map((row): StoredRow => ({
      tenant: "acme",
      id: "e-1",
      time: T,
      stream: "ACTIONS",
      generation: 1,
      seq: 1,
      part: "p",
      ...row,
    })),
    ({ tenant, id }) => idKey(tenant, id),
  )

const all = () => true
const nothing = stored()
const row = (id: string, time = T, rest: Partial<ActionRow> = {}) => actionRow({ id, time, ...rest })

describe("rows sorted", () => {
  it("are all fresh, untouched, when none may repeat", () => {
    const rows = [row("e-1"), row("e-1"), row("e-2")]
    expect(sortRepeats(rows, () => false, stored({ id: "e-1" }), []).fresh).toBe(rows)
  })

  it("against what is stored", () => {
    const rows = [row("e-1"), row("e-2", T + 1), row("e-3"), row("e-1", T, { tenant: "globex" })]
    const sorted = sortRepeats(rows, all, stored({ id: "e-1" }, { id: "e-2" }, { id: "e-4" }), [])
    expect(sorted).toEqual({ fresh: [rows[2], rows[3]], repeats: 1, conflicts: [rows[1]] })
  })

  it("against what is on its way", () => {
    const rows = [row("e-1"), row("e-2", T + 1), row("e-3")]
    const underWay = [
      { tenant: "acme", id: "e-1", time: T },
      { tenant: "acme", id: "e-2", time: T },
      { tenant: "globex", id: "e-3", time: T },
    ]
    expect(sortRepeats(rows, all, nothing, underWay)).toEqual({
      fresh: [rows[2]],
      repeats: 1,
      conflicts: [rows[1]],
    })
  })

  it("against each other, the first one kept", () => {
    const rows = [row("e-1"), row("e-1"), row("e-1", T + 1), row("e-2"), row("e-1")]
    expect(sortRepeats(rows, all, nothing, [])).toEqual({
      fresh: [rows[0], rows[3]],
      repeats: 2,
      conflicts: [rows[2]],
    })
  })

  it("with a fresh one in the way of a late repeat of it", () => {
    const rows = [row("e-1"), row("e-1", T, { seq: 2 })]
    const isLate = ({ seq }: ActionRow) => seq === 2
    expect(sortRepeats(rows, isLate, nothing, [])).toEqual({ fresh: [rows[0]], repeats: 1, conflicts: [] })
  })

  it("with two times stored under one id: each of them is a repeat, a third is a conflict", () => {
    const rows = [row("e-1", T), row("e-1", T + 1), row("e-1", T + 2)]
    expect(sortRepeats(rows, all, stored({ time: T }, { time: T + 1 }), [])).toEqual({
      fresh: [],
      repeats: 2,
      conflicts: [rows[2]],
    })
  })
})
