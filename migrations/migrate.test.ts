import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it, layer } from "@effect/vitest"
import { Effect } from "effect"
import { ClickHouse } from "#clickhouse"
import { OwnStore } from "../test/own-store.ts"
import { temporaryFolder } from "../test/temporary-folder.ts"
import { migrate, MIGRATIONS_FOLDER, readMigrations, statementsOf } from "./migrate.ts"

const tableSql = (name: string) =>
  `-- ${name}\nCREATE TABLE IF NOT EXISTS tidemark.${name} (a String) ENGINE = MergeTree ORDER BY a;\n`

/** A folder with these files. */
const folderOf = (files: Readonly<Record<string, string>>) =>
  Effect.map(temporaryFolder, (root) => {
    const folder = join(root, "migrations")
    mkdirSync(folder)
    for (const [name, sql] of Object.entries(files)) writeFileSync(join(folder, name), sql)
    return folder
  })

const TWO = { "0001_a.sql": tableSql("a"), "0002_b.sql": tableSql("b") }

describe("the files", () => {
  it.each([
    [
      "0001_a.sql and 0003_c.sql",
      { "0001_a.sql": "", "0003_c.sql": "" },
      "gap",
      "0003_c.sql follows number 1",
    ],
    ["a first number of 2", { "0002_b.sql": "" }, "gap", "0002_b.sql follows number 0"],
    ["one number twice", { "0001_a.sql": "", "0001_b.sql": "" }, "gap", "0001_b.sql follows number 1"],
    ["a short number", { "1_a.sql": "" }, "bad_name", "1_a.sql is not NNNN_name.sql"],
    ["capitals", { "0001_A.sql": "" }, "bad_name", "0001_A.sql is not NNNN_name.sql"],
    ["no name", { "0001.sql": "" }, "bad_name", "0001.sql is not NNNN_name.sql"],
  ])("may not be %s", async (_, files, reason, detail) => {
    const error = await Effect.runPromise(
      folderOf(files).pipe(Effect.flatMap(readMigrations), Effect.flip, Effect.scoped),
    )
    expect(error).toMatchObject({ _tag: "MigrationError", reason, detail })
    expect(error.message).toContain(detail)
  })
  it("are read in order, other files left alone", async () => {
    const read = folderOf({ ...TWO, "README.md": "", "lint.ts": "" }).pipe(
      Effect.flatMap(readMigrations),
      Effect.scoped,
    )
    expect((await Effect.runPromise(read)).map(({ version, name }) => [version, name])).toEqual([
      [1, "0001_a.sql"],
      [2, "0002_b.sql"],
    ])
  })
  it("hold statements that end with a semicolon at the end of a line", () => {
    expect(statementsOf("-- a; b\nSELECT ';' AS x,\n  -- no\n  1; \n\nSELECT 2")).toEqual([
      "SELECT ';' AS x,\n  1",
      "SELECT 2",
    ])
  })
})

const applied = OwnStore.as("default")(
  Effect.flatMap(ClickHouse, (store) =>
    store.query<{ version: number; n: number }>(
      "SELECT version, toUInt32(count()) AS n FROM tidemark.schema_migrations GROUP BY version ORDER BY version",
    ),
  ),
)

/** A test on an empty store. */
const onEmptyStore = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.andThen(
    OwnStore.as("default")(
      Effect.flatMap(ClickHouse, (store) => store.command("DROP DATABASE IF EXISTS tidemark SYNC")),
    ),
    effect,
  )
const migrated = (folder: string) => OwnStore.as("tidemark_migrator")(migrate(folder))

layer(OwnStore.layer, { excludeTestServices: true })("the migrator", (it) => {
  it.effect("applies the migrations once, as its own user", () =>
    onEmptyStore(
      Effect.gen(function* () {
        const names = (yield* readMigrations(MIGRATIONS_FOLDER)).map(({ name }) => name)
        expect(yield* migrated(MIGRATIONS_FOLDER)).toEqual(names)
        expect(yield* migrated(MIGRATIONS_FOLDER)).toEqual([])
        expect((yield* applied).map(({ n }) => n)).toEqual(names.map(() => 1))
      }),
    ),
  )
  it.effect("applies what is new", () =>
    onEmptyStore(
      Effect.gen(function* () {
        yield* migrated(yield* folderOf({ "0001_a.sql": TWO["0001_a.sql"] }))
        expect(yield* migrated(yield* folderOf(TWO))).toEqual(["0002_b.sql"])
      }),
    ),
  )
  it.effect("goes on where it failed", () =>
    onEmptyStore(
      Effect.gen(function* () {
        const broken = { ...TWO, "0002_b.sql": `${tableSql("b")}ALTER TABLE tidemark.missing MODIFY TTL a;` }
        const error = yield* Effect.flip(migrated(yield* folderOf(broken)))
        expect(error).toMatchObject({ _tag: "ClickHouseError", reason: "schema" })
        expect(yield* applied).toEqual([{ version: 1, n: 1 }])
        expect(yield* migrated(yield* folderOf(TWO))).toEqual(["0002_b.sql"])
      }),
    ),
  )
  it.effect("refuses a file that changed after it was applied", () =>
    onEmptyStore(
      Effect.gen(function* () {
        yield* migrated(yield* folderOf(TWO))
        const error = yield* Effect.flip(
          migrated(yield* folderOf({ ...TWO, "0001_a.sql": `${TWO["0001_a.sql"]} ` })),
        )
        expect(error).toMatchObject({
          reason: "edited",
          detail: "0001_a.sql was changed after it was applied",
        })
      }),
    ),
  )
  it.effect("refuses a store that a newer version made", () =>
    onEmptyStore(
      Effect.gen(function* () {
        yield* migrated(yield* folderOf(TWO))
        const error = yield* Effect.flip(migrated(yield* folderOf({ "0001_a.sql": TWO["0001_a.sql"] })))
        expect(error).toMatchObject({ reason: "unknown_version" })
        expect(error.message).toContain("0002_b.sql")
      }),
    ),
  )
  it.effect("refuses a journal with a gap", () =>
    onEmptyStore(
      Effect.gen(function* () {
        const folder = yield* folderOf(TWO)
        yield* migrated(folder)
        yield* OwnStore.as("default")(
          Effect.flatMap(ClickHouse, (store) =>
            store.command("DELETE FROM tidemark.schema_migrations WHERE version = 1"),
          ),
        )
        expect(yield* Effect.flip(migrated(folder))).toMatchObject({ reason: "gap" })
      }),
    ),
  )
  it.effect("may run twice at once, and once more", () =>
    onEmptyStore(
      Effect.gen(function* () {
        const both = yield* Effect.all([migrated(MIGRATIONS_FOLDER), migrated(MIGRATIONS_FOLDER)], {
          concurrency: "unbounded",
        })
        const all = (yield* readMigrations(MIGRATIONS_FOLDER)).map(({ name }) => name)
        expect([...new Set(both.flat())].toSorted()).toEqual(all)
        expect(yield* migrated(MIGRATIONS_FOLDER)).toEqual([])
      }),
    ),
  )
})
