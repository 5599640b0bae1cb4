import { Effect } from "effect"
import { expect, it } from "vitest"
import { CATALOGUE_VIEWS } from "./catalogue-views.ts"
import { MIGRATIONS_FOLDER, readMigrations } from "./migrate.ts"

const statements = Effect.runSync(readMigrations(MIGRATIONS_FOLDER)).flatMap(
  (migration) => migration.statements,
)

it.each(Object.entries(CATALOGUE_VIEWS))(
  "%s is what the catalogue makes; when that has changed, the head of catalogue-views.ts says what to do",
  (name, statement) => {
    const made = statements.filter((other) => other.startsWith(`CREATE OR REPLACE VIEW ${name}\n`))
    expect(made.at(-1)).toBe(statement)
  },
)
