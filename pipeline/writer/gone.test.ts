import { describe, expect, it } from "vitest"
import { goneOf } from "./gone.ts"

const messages = (...seqs: ReadonlyArray<number>) => seqs.map((seq) => ({ seq }))

describe("what has left the stream", () => {
  it.each([
    ["nothing", { from: 5, to: 7 }, messages(5, 6, 7), 0, undefined],
    ["nothing of an empty range", { from: 5, to: 4 }, [], 0, undefined],
    ["the first ones", { from: 5, to: 9 }, messages(8, 9), 0, { from: 5, to: 7, doubtful: 3 }],
    ["one in the middle", { from: 5, to: 7 }, messages(5, 7), 0, { from: 6, to: 6, doubtful: 1 }],
    ["several", { from: 5, to: 12 }, messages(6, 9, 12), 0, { from: 5, to: 11, doubtful: 5 }],
    ["the last ones", { from: 5, to: 9 }, messages(5, 6), 0, { from: 7, to: 9, doubtful: 3 }],
    ["all", { from: 5, to: 9 }, [], 0, { from: 5, to: 9, doubtful: 5 }],
    ["what was stored before", { from: 5, to: 9 }, messages(5, 9), 20, { from: 6, to: 8, doubtful: 0 }],
    ["partly what was stored before", { from: 5, to: 9 }, messages(9), 6, { from: 5, to: 8, doubtful: 2 }],
  ])("%s", (_, range, held, known, gone) => {
    expect(goneOf(range, held, known)).toEqual(gone)
  })
})
