import { Effect } from "effect"
import { Writer } from "./context.ts"
import { firstWholeDay } from "./kept-month.ts"
import type { Rollup } from "./rollups.ts"

/** Tenants and UTC days whose rollups are to be compared with raw. */
export interface Scope {
  readonly tenants: ReadonlyArray<string>
  /** `YYYY-MM-DD` */
  readonly days: ReadonlyArray<string>
}

/** The scope without tenants whose rows another stream's owner writes, and without days that raw no longer has whole. */
export const ownScope = (scope: Scope): Effect.Effect<Scope, never, Writer> =>
  Effect.map(Writer, ({ isOwn }) => {
    const first = firstWholeDay(Date.now())
    return { tenants: scope.tenants.filter(isOwn), days: scope.days.filter((day) => day >= first) }
  })

const DAY = 86_400_000

/** UTC days, and so many on either side of each: one lies in up to three local ones, and the other way round. */
export const widen = (days: ReadonlyArray<string>, by: number): ReadonlyArray<string> => {
  const wide = new Set<number>()
  for (const day of days)
    for (let step = -by; step <= by; step++) wide.add(Date.parse(`${day}T00:00:00Z`) + step * DAY)
  return [...wide].toSorted((a, b) => a - b).map((at) => new Date(at).toISOString().slice(0, 10))
}

/** The parameters of a statement that compares a scope. */
export const paramsOf = (scope: Scope) => ({
  ...scope,
  localDays: widen(scope.days, 1),
  around: widen(scope.days, 2),
})

/** Tenants and days that are compared at once. Of too many rows on one day: this one of so many parts of the keys. */
export interface Piece extends Scope {
  readonly part: number
  readonly parts: number
}

/** True for what belongs to the part of a piece, by the columns of its key. */
export const inPart = (key: ReadonlyArray<string>): string =>
  `sipHash64(${key.join(", ")}) % {parts:UInt32} = {part:UInt32}`

/** A rollup and what raw sums up to, where they belong to a piece. */
export const ofPiece = (rollup: Rollup, { parts }: Piece): Rollup =>
  parts === 1
    ? rollup
    : {
        ...rollup,
        rawScope: `${rollup.rawScope} AND ${inPart(rollup.key.map(({ of }) => of))}`,
        rollupScope: `${rollup.rollupScope} AND ${inPart(rollup.key.map(({ name }) => `r.${name}`))}`,
      }

const halvesOf = <Item>(items: ReadonlyArray<Item>): ReadonlyArray<ReadonlyArray<Item>> => {
  const middle = items.length >>> 1
  return [items.slice(0, middle), items.slice(middle)]
}

/** The two halves of a piece: of its days, of its tenants, or of the keys of the one tenant and day that it is. */
export const halve = (piece: Piece): ReadonlyArray<Piece> => {
  const { tenants, days, part, parts } = piece
  if (days.length > 1) return halvesOf(days).map((some) => ({ ...piece, days: some }))
  if (tenants.length > 1) return halvesOf(tenants).map((some) => ({ ...piece, tenants: some }))
  return [part, part + parts].map((half) => ({ ...piece, part: half, parts: parts * 2 }))
}
