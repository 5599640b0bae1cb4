import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Effect, Schema } from "effect"
import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { DATABASE } from "#schemas/names.ts"

/** One numbered file of statements. */
export interface Migration {
  readonly version: number
  readonly name: string
  /** SHA-256 of the file, hexadecimal. */
  readonly checksum: string
  readonly statements: ReadonlyArray<string>
}

export class MigrationError extends Schema.TaggedError<MigrationError>()("MigrationError", {
  reason: Schema.Literals(["bad_name", "gap", "edited", "unknown_version"]),
  detail: Schema.String,
  hint: Schema.String,
}) {
  override get message(): string {
    return `migrations: ${this.detail}. ${this.hint}`
  }
}

/** Statements of a file: they end with a semicolon at the end of a line; lines of comment are left out. */
export const statementsOf = (sql: string): ReadonlyArray<string> =>
  sql
    .split("\n")
    .filter((line) => !line.trimStart().startsWith("--"))
    .join("\n")
    .split(/;[ \t]*(?:\n|$)/u)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "")

const NAME = /^(\d{4})_[a-z0-9_]+\.sql$/u

/** The migrations of a folder in order. Fails on a name of another form and on a gap in the numbers. */
export const readMigrations = (folder: string): Effect.Effect<ReadonlyArray<Migration>, MigrationError> =>
  Effect.gen(function* () {
    const names = readdirSync(folder)
      .filter((name) => name.endsWith(".sql"))
      .toSorted()
    const migrations: Array<Migration> = []
    for (const name of names) {
      const version = Number(NAME.exec(name)?.[1])
      if (Number.isNaN(version))
        return yield* new MigrationError({
          reason: "bad_name",
          detail: `${name} is not NNNN_name.sql`,
          hint: "Rename it.",
        })
      if (version !== migrations.length + 1)
        return yield* new MigrationError({
          reason: "gap",
          detail: `${name} follows number ${migrations.length}`,
          hint: "Numbers go up by one and none stands twice; restore the missing file or renumber the new one.",
        })
      const sql = readFileSync(join(folder, name), "utf8")
      const checksum = createHash("sha256").update(sql).digest("hex")
      migrations.push({ version, name, checksum, statements: statementsOf(sql) })
    }
    return migrations
  })

/** Which files were applied, as they were. */
export const JOURNAL = `
CREATE TABLE IF NOT EXISTS ${DATABASE}.schema_migrations
(
    version    UInt32 COMMENT 'The number of the file',
    name       String COMMENT 'The file',
    checksum   String COMMENT 'SHA-256 of the file as it was applied',
    applied_at DateTime DEFAULT now() COMMENT 'When'
)
ENGINE = MergeTree
ORDER BY version
SETTINGS non_replicated_deduplication_window = 0`

interface Applied {
  readonly version: number
  readonly name: string
  readonly checksums: ReadonlyArray<string>
}

const compareWithStore = (
  migrations: ReadonlyArray<Migration>,
  applied: ReadonlyArray<Applied>,
): MigrationError | undefined => {
  for (const { version, name, checksums } of applied) {
    const migration = migrations[version - 1]
    if (migration === undefined)
      return new MigrationError({
        reason: "unknown_version",
        detail: `the store has ${name}, which this version does not know`,
        hint: "Run the version of Tidemark that made it, or a newer one.",
      })
    if (checksums.some((checksum) => checksum !== migration.checksum))
      return new MigrationError({
        reason: "edited",
        detail: `${name} was changed after it was applied`,
        hint: "Restore the file and put the change into a new migration.",
      })
  }
  const gap = applied.findIndex(({ version }, index) => version !== index + 1)
  if (gap !== -1)
    return new MigrationError({
      reason: "gap",
      detail: `the store lacks migration ${gap + 1} but has a later one`,
      hint: "Its journal was changed by hand; restore schema_migrations.",
    })
  return undefined
}

/**
 * Brings the store up to date and returns the names of what it applied. Every statement is idempotent (the lint
 * sees to it), so two migrators that start at once do the same work and come to the same end.
 */
export const migrate = Effect.fn("migrate")(function* (
  folder: string,
): Effect.fn.Return<ReadonlyArray<string>, MigrationError | ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  const migrations = yield* readMigrations(folder)
  yield* store.command(`CREATE DATABASE IF NOT EXISTS ${DATABASE} ENGINE = Atomic`)
  yield* store.command(JOURNAL)
  const applied = yield* store.query<Applied>(
    `SELECT version, any(name) AS name, groupUniqArray(checksum) AS checksums
     FROM ${DATABASE}.schema_migrations GROUP BY version ORDER BY version`,
  )
  const error = compareWithStore(migrations, applied)
  if (error !== undefined) return yield* error
  const pending = migrations.slice(applied.length)
  for (const migration of pending) {
    for (const statement of migration.statements) yield* store.command(statement)
    yield* store.command(
      `INSERT INTO ${DATABASE}.schema_migrations (version, name, checksum)
       SELECT {version:UInt32}, {name:String}, {checksum:String}`,
      { params: { version: migration.version, name: migration.name, checksum: migration.checksum } },
    )
  }
  return pending.map(({ name }) => name)
})

export const MIGRATIONS_FOLDER = import.meta.dirname
