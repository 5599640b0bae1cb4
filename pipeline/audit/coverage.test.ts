import { expect, it } from "vitest"
import { type Compared, coverageOf } from "./coverage.ts"

const compared = (from_seq: number, to_seq: number, differences = 0, wrong_from = 0, wrong_to = 0) => ({
  from_seq,
  to_seq,
  differences,
  wrong_from,
  wrong_to,
})

it.each<[string, ReadonlyArray<Compared>, number, number, number?]>([
  ["nothing", [], 0, 0],
  ["neighbours", [compared(101, 200), compared(1, 100)], 200, 0],
  ["a gap", [compared(150, 200), compared(1, 100)], 100, 0],
  ["what begins where the stream does", [compared(900, 999)], 999, 0, 900],
  ["what the stream has dropped the beginning of", [compared(900, 999)], 999, 0, 950],
  ["what begins behind the first message", [compared(900, 999)], 0, 0, 899],
  ["a stream that was always empty", [compared(1, 10)], 10, 0, 0],
  ["a difference", [compared(101, 200, 3), compared(1, 100)], 100, 3],
  ["a difference at the beginning", [compared(1, 100, 3), compared(101, 200)], 0, 3],
  ["a difference that was cleared", [compared(50, 250), compared(101, 200, 3), compared(1, 100)], 250, 0],
  [
    "a difference that was cleared in part",
    [compared(101, 150), compared(101, 200, 3), compared(1, 100)],
    150,
    3,
  ],
  [
    "a difference that left the stream",
    [compared(150, 300), compared(101, 200, 3), compared(1, 100)],
    300,
    3,
    150,
  ],
  [
    "a difference that was cleared when the head of its range had left the stream",
    [compared(150, 300), compared(101, 200, 3, 160, 170), compared(1, 100)],
    300,
    0,
    150,
  ],
  ["a range that left the stream before it was compared", [compared(1, 100)], 100, 0, 150],
  ["what is behind such a range", [compared(201, 300), compared(101, 200, 3), compared(1, 100)], 100, 3, 150],
  ["a difference found later", [compared(40, 60, 2), compared(1, 100)], 39, 2],
])("%s", (_, newestFirst, through, differences, held = 1) => {
  expect(coverageOf(newestFirst, held)).toEqual({ through, differences })
})
