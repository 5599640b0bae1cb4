import { describe, expect, it } from "vitest"
import { TokenBucket } from "./token-bucket.ts"

const bucket = () => new TokenBucket({ perSecond: 10, burst: 20 }, 1000)

describe("a bucket", () => {
  it("lets as much in at once as it holds, then as much as it takes a second", () => {
    const full = bucket()
    const taken = (now: number): number => {
      let count = 0
      for (; full.delay(now) === 0; count++) full.spend(1, now)
      return count
    }
    // Whoever finds a part of a token passes, and owes the rest.
    expect([taken(1000), taken(1000), taken(1050), taken(1100), taken(2100), taken(60_000)]).toEqual([
      20, 0, 1, 0, 10, 20,
    ])
  })

  it("lets one in that costs more than it holds, and says how long the debt lasts", () => {
    const full = bucket()
    full.spend(50, 1000)
    expect(full.delay(1000)).toBe(3000)
    expect(full.delay(3900)).toBe(100)
    // The debt is paid; a token is there an instant later.
    expect(full.delay(4001)).toBe(0)
  })

  it("says a delay of at least a millisecond while it lets nobody in", () => {
    const full = bucket()
    full.spend(20, 1000)
    expect(full.delay(1000)).toBe(1)
  })

  it("gives nothing for a clock that went back", () => {
    const full = bucket()
    full.spend(30, 1000)
    expect(full.delay(0)).toBe(1000)
    expect(full.isFull(0)).toBe(false)
    expect(full.isFull(10_000)).toBe(true)
  })
})
