/** Numbers from 0 up to, not including, 1, the same for the same seed (mulberry32): a world that failed can be made again. */
export const randomOf = (seed: number) => {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
  const int = (below: number): number => Math.floor(next() * below)
  return {
    next,
    int,
    chance: (probability: number): boolean => next() < probability,
    pick: <Item>(list: ReadonlyArray<Item>): Item => list[int(list.length)] as Item,
    some: <Item>(list: ReadonlyArray<Item>): ReadonlyArray<Item> => list.filter(() => next() < 0.5),
  }
}
export type Random = ReturnType<typeof randomOf>
