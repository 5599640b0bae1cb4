import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { Effect } from "effect"
import { DATABASE, type TABLES } from "#schemas/names.ts"
import { utcMonth } from "#schemas/time.ts"
import type { Range } from "./range.ts"

/**
 * What the tables are made of: a fingerprint of the parts of each table and partition. Every insert and every mutation
 * makes parts of new names; a name comes back only in a store that was put back and in a rollup that was rebuilt, which were
 * written at another time. So while the fingerprint is the same the rows are.
 */
export type StoreVersion = ReadonlyMap<string, string>

const STATEMENT = `
SELECT concat(table, ' ', partition_id) AS place, toString(groupBitXor(sipHash64(name, modification_time))) AS fingerprint
FROM system.parts
WHERE database = {database:String} AND active
GROUP BY place`

export const readStoreVersion = Effect.fn("readStoreVersion")(function* (): Effect.fn.Return<
  StoreVersion,
  ClickHouseError,
  ClickHouse
> {
  const store = yield* ClickHouse
  const rows = yield* store.query<{ readonly place: string; readonly fingerprint: string }>(STATEMENT, {
    params: { database: DATABASE },
  })
  return new Map(rows.map(({ place, fingerprint }) => [place, fingerprint]))
})

/** A table, and the months of it that a statement reads; all of it where there is no range. */
export interface Read {
  readonly table: (typeof TABLES)[keyof typeof TABLES]
  readonly range?: Pick<Range, "start" | "end">
}

const DAY = 86_400_000

/** The partitions of a range: months of UTC, or of a zone that is up to a day away from it. */
const monthsOf = ({ start, end }: Pick<Range, "start" | "end">): ReadonlyArray<number> => {
  const months = new Set<number>()
  for (let at = start - DAY; at < end + DAY; at += DAY) months.add(utcMonth(at))
  months.add(utcMonth(end + DAY))
  return [...months]
}

/** The version of what a statement reads. */
export const versionOf = (version: StoreVersion, reads: ReadonlyArray<Read>): string =>
  reads
    .map(({ table, range }) => {
      const name = table.slice(DATABASE.length + 1)
      const places =
        range === undefined
          ? [...version.keys()].filter((place) => place.startsWith(`${name} `)).toSorted()
          : monthsOf(range).map((month) => `${name} ${month}`)
      return places.map((place) => `${place} ${version.get(place) ?? ""}`).join()
    })
    .join("\n")
