import { expect, it } from "vitest"
import { movesOf, type Standing } from "./share.ts"

/** Lets every writer look in turn, as often as it takes, and gives what each then holds and how many streams moved. */
const settle = (writers: ReadonlyArray<string>, owners: Record<string, string | undefined>) => {
  const owned = { ...owners }
  let moves = 0
  for (let round = 0; round < 20; round++)
    for (const writer of writers) {
      const standings = Object.entries(owned).map(([stream, owner]): Standing => ({ stream, owner }))
      const mine = new Set(Object.keys(owned).filter((stream) => owned[stream] === writer))
      const { take, give } = movesOf(writer, writers, standings, mine)
      for (const stream of give) owned[stream] = undefined
      for (const stream of take) owned[stream] = writer
      moves += give.length + take.length
    }
  const held = writers.map((writer) => Object.values(owned).filter((owner) => owner === writer).length)
  return { held, moves, owned }
}

const streams = (count: number, owner?: string) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`S${n}`, owner] as const))

it.each([
  [1, 1],
  [1, 3],
  [4, 2],
  [4, 3],
  [5, 3],
  [64, 7],
  [3, 5],
])("%i streams are shared out among %i writers, none with two more than another", (count, many) => {
  const writers = Array.from({ length: many }, (_, n) => `w${n}`)
  const { held, moves } = settle(writers, streams(count))
  expect(held.reduce((sum, n) => sum + n, 0)).toBe(count)
  expect(Math.max(...held) - Math.min(...held)).toBeLessThanOrEqual(1)
  expect(moves).toBe(count)
})

it("a writer that comes is given its share, and nothing else moves", () => {
  const { held, moves } = settle(["a", "b", "c"], { ...streams(6, "a"), S3: "b", S4: "b", S5: "b" })
  expect(held).toEqual([2, 2, 2])
  // Two streams, each given back and taken.
  expect(moves).toBe(4)
})

it("where they do not divide evenly, who has more keeps it", () => {
  expect(settle(["a", "b"], { S0: "b", S1: "b", S2: "a" }).moves).toBe(0)
})

it("what a dead one held is left alone while its lease holds, and shared out when it is over", () => {
  const before = { S0: "a", S1: "dead", S2: "dead", S3: "b" }
  expect(settle(["a", "b"], before).owned).toEqual(before)
  expect(settle(["a", "b"], { ...before, S1: undefined, S2: undefined }).held).toEqual([2, 2])
})

it("one that is not known to live takes nothing, and gives all back", () => {
  const standings = [{ stream: "S0", owner: "gone" }] as const
  expect(movesOf("gone", ["a"], standings, new Set(["S0"]))).toEqual({ take: [], give: ["S0"] })
})
