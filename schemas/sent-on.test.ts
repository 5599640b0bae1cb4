import { expect, it } from "vitest"
import { placesOf, placesText } from "./sent-on.ts"

const place = (sequence: number) => ({ stream: "ACTIONS_2", generation: 1, sequence, receivedAt: 1_764e9 })

it("names where an event stood, and forgets the oldest of too many", () => {
  const places = Array.from({ length: 20 }, (_, n) => place(n))
  expect(placesOf(placesText(places.slice(0, 2)))).toEqual(places.slice(0, 2))
  expect(placesOf(placesText(places))).toEqual(places.slice(-16))
})

it.each([undefined, "", "ACTIONS:1:5", "ACTIONS:1:5:-1", "ACTIONS:1:5:1,ACTIONS:1:6:1", "ACTIONS:1:5:1 "])(
  "takes %j for nothing",
  (header) => expect(placesOf(header)).toEqual([]),
)

it("takes a header of more places than it would write for nothing", () => {
  expect(placesOf(Array.from({ length: 17 }, () => "ACTIONS:1:5:1").join(" "))).toEqual([])
})
