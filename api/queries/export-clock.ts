import { offsetAt } from "./local-days.ts"

const HALF_DAY = 43_200_000

const two = (n: number): string => String(n).padStart(2, "0")

const suffixOf = (offset: number): string => {
  const minutes = Math.abs(offset) / 60_000
  return `${offset < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(Math.floor(minutes % 60))}`
}

/** The first second of a span at which the clocks are no longer as they were at its start. */
const changeBetween = (start: number, end: number, zone: string): number => {
  const before = offsetAt(start, zone)
  let [from, to] = [start / 1000, end / 1000]
  while (to - from > 1) {
    const middle = Math.floor((from + to) / 2)
    if (offsetAt(middle * 1000, zone) === before) from = middle
    else to = middle
  }
  return to * 1000
}

/**
 * When the clocks of a zone are how far ahead of UTC, as arrays for a statement: the store's own database of zones can
 * be of another year than Node's. No zone changes its clocks twice in half a day.
 */
export const clockParams = (start: number, end: number, zone: string) => {
  const changes = [start]
  for (let at = start; at < end; at += HALF_DAY) {
    const next = Math.min(end, at + HALF_DAY)
    if (offsetAt(at, zone) !== offsetAt(next, zone)) changes.push(changeBetween(at, next, zone))
  }
  const offsets = changes.map((at) => offsetAt(at, zone))
  return {
    clock_changes: changes.map((at) => at / 1000),
    clock_offsets: offsets.map((offset) => offset / 1000),
    clock_suffixes: offsets.map(suffixOf),
  }
}

const since = (time: string): string =>
  `roundDown(toUnixTimestamp(${time}), {clock_changes:Array(UInt32)}), {clock_changes:Array(UInt32)}`

/** RFC 3339 in the zone of the parameters, as `localTime` writes it. */
export const localTimeOf = (time: string): string => `concat(
      replaceOne(toString(addSeconds(${time}, transform(${since(time)}, {clock_offsets:Array(Int32)}, 0))), ' ', 'T'),
      transform(${since(time)}, {clock_suffixes:Array(String)}, ''))`

/** RFC 3339 in UTC. */
export const utcTimeOf = (time: string): string => `concat(replaceOne(toString(${time}), ' ', 'T'), 'Z')`
