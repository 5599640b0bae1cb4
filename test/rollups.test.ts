// A rollup that no repair knows, or knows otherwise than its view makes it, would stay wrong after a crash.
import { Effect } from "effect"
import { expect, it } from "vitest"
import { TABLES } from "#schemas/names.ts"
import { MIGRATIONS_FOLDER, readMigrations } from "../migrations/migrate.ts"
import { splitTopLevel, viewOf } from "../migrations/sql.ts"
import { ROLLUPS } from "../pipeline/writer/rollups.ts"

const oneLine = (text: string): string => text.replaceAll(/\s+/gu, " ").trim()

/** The views that sum up raw, by the table that they fill: what they select, of which rows, by what. */
const views = new Map(
  Effect.runSync(readMigrations(MIGRATIONS_FOLDER))
    .flatMap(({ statements }) => statements)
    .flatMap((statement) => {
      const view = viewOf(statement)
      if (view?.target === undefined || !view.sources.includes(TABLES.actions)) return []
      const [, columns = "", filter = "", key = ""] =
        /\bAS\s+SELECT\b([\s\S]*)\bFROM\b[\s\S]*\bWHERE\b([\s\S]*)\bGROUP BY\b([\s\S]*)$/u.exec(statement) ??
        []
      return [
        [
          view.target,
          { columns: splitTopLevel(columns).map(oneLine), filter: oneLine(filter), key: oneLine(key) },
        ] as const,
      ]
    }),
)

it("every view over the actions has its rollup in the repair", () => {
  expect(ROLLUPS.map(({ table }) => table).toSorted()).toEqual([...views.keys()].toSorted())
})

it.each(ROLLUPS)("the repair of $table sums up what its view does", ({ table, key, filter, times }) => {
  const functions = { first_at: "min", last_at: "max" } as const
  expect(views.get(table)).toEqual({
    columns: [
      ...key.map(({ name, of }) => `${of} AS ${name}`),
      "toInt64(count()) AS events",
      "toInt64(sum(a.quantity)) AS quantity",
      ...times.map((time) => `${functions[time]}(a.time) AS ${time}`),
    ],
    filter,
    key: key.map(({ name }) => name).join(", "),
  })
})
