/** A UUID that looks random and is made of a number alone. */
export const uuid = (n: number): string => {
  let state = Math.imul(n + 1, 0x9e3779b1) >>> 0
  const word = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0).toString(16).padStart(8, "0")
  }
  const hex = word() + word() + word() + n.toString(16).padStart(8, "0")
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
