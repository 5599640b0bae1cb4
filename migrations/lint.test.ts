import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { TABLES } from "#schemas/names.ts"
import { lint } from "./lint.ts"
import { JOURNAL, MIGRATIONS_FOLDER, readMigrations, statementsOf } from "./migrate.ts"

const current = lint([
  { name: "the journal", statements: [JOURNAL] },
  ...Effect.runSync(readMigrations(MIGRATIONS_FOLDER)),
])

describe("the migrations", () => {
  it("have no problem", () => {
    expect(current.problems).toEqual([])
    expect(current.tables.size).toBeGreaterThan(10)
    expect(current.views.size).toBeGreaterThan(1)
  })
  it("make the tables that the code names, and no others", () => {
    const made = [...current.tables.keys()].filter((name) => name !== "tidemark.schema_migrations")
    expect(made.toSorted()).toEqual(Object.values<string>(TABLES).toSorted())
  })
  it("are described in README.md: each object, with its order key", () => {
    const page = readFileSync(join(MIGRATIONS_FOLDER, "README.md"), "utf8")
    const described = page
      .split("\n")
      .filter((line) => /^\| `(?:tidemark|bi)\./u.test(line))
      .map((line) => {
        const [, name, , key] = line.split("|").map((cell) => cell.trim().replaceAll("`", ""))
        return `${name} ${key}`
      })
    const made = [
      ...[...current.tables.values()].map(({ name, definition }) => {
        const key = /\bORDER BY\s+(?:\(((?:[^()]|\([^()]*\))*)\)|(\w+))/u.exec(definition)
        return `${name} ${key?.[1] ?? key?.[2] ?? ""}`
      }),
      ...[...current.views.keys()].map((name) => `${name} `),
    ]
    expect(described.toSorted()).toEqual(made.toSorted())
  })
})

const TABLE = `CREATE TABLE IF NOT EXISTS tidemark.t (a String COMMENT 'A, or (b', b Tuple(x Int8, y String) COMMENT 'it''s')
  ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 0;\n`
const VIEW = `CREATE MATERIALIZED VIEW IF NOT EXISTS tidemark.v TO tidemark.t AS
  SELECT s.a AS a, (s.x, 'FROM, AS') AS b FROM tidemark.t AS s WHERE s.a IN (SELECT a AS a FROM tidemark.t);\n`

const READABLE = `CREATE OR REPLACE VIEW bi.v
(
  a String COMMENT 'A (and more), FROM',
  b Nullable(DateTime64(3, 'UTC')) COMMENT 'B'
)
DEFINER = tidemark_bi SQL SECURITY DEFINER
COMMENT 'A view'
AS SELECT s.a AS a, max(s.b) AS b FROM tidemark.t AS s GROUP BY a;\n`

const problemsOf = (sql: string) => lint([{ name: "f", statements: statementsOf(sql) }]).problems

describe("the lint", () => {
  it("takes what is right", () => {
    expect(problemsOf(TABLE + VIEW)).toEqual([])
    expect(problemsOf(TABLE + READABLE)).toEqual([])
    expect(
      problemsOf(`${TABLE}ALTER TABLE tidemark.t ADD COLUMN IF NOT EXISTS c UInt8 COMMENT 'C' AFTER a,
        ADD INDEX IF NOT EXISTS i c TYPE minmax, DROP COLUMN IF EXISTS b, MODIFY SETTING x = 1, MODIFY TTL c;
        DROP TABLE IF EXISTS tidemark.t;`),
    ).toEqual([])
  })

  it.each([
    [
      "CREATE TABLE",
      TABLE.replace("IF NOT EXISTS ", ""),
      "f: cannot be run twice: CREATE TABLE tidemark.t (a",
    ],
    [
      "CREATE VIEW",
      TABLE + VIEW.replace("IF NOT EXISTS ", ""),
      "f: cannot be run twice: CREATE MATERIALIZED VIEW",
    ],
    [
      "ADD COLUMN",
      `${TABLE}ALTER TABLE tidemark.t ADD COLUMN c UInt8 COMMENT 'C';`,
      "f: cannot be run twice: ADD COLUMN c",
    ],
    [
      "a second change",
      `${TABLE}ALTER TABLE tidemark.t MODIFY TTL a, DROP COLUMN b;`,
      "f: cannot be run twice: DROP COLUMN b",
    ],
    ["DROP TABLE", `${TABLE}DROP TABLE tidemark.t;`, "f: cannot be run twice: DROP TABLE tidemark.t"],
    [
      "INSERT",
      `${TABLE}INSERT INTO tidemark.t VALUES ('x');`,
      "f: cannot be run twice: INSERT INTO tidemark.t",
    ],
    ["RENAME", `${TABLE}RENAME TABLE tidemark.t TO tidemark.u;`, "f: cannot be run twice: RENAME TABLE"],
    [
      "MODIFY QUERY",
      `${TABLE + VIEW}ALTER TABLE tidemark.v MODIFY QUERY SELECT 1 AS a;`,
      "f: cannot be run twice: MODIFY QUERY",
    ],
    ["a view before its target", VIEW + TABLE, "f: nothing creates tidemark.t before it is used"],
    [
      "a view of a table that is dropped",
      `${TABLE + VIEW}DROP TABLE IF EXISTS tidemark.t;`,
      "tidemark.v fills tidemark.t, which does not exist",
    ],
    [
      "an unknown table",
      "ALTER TABLE tidemark.u MODIFY TTL a;",
      "f: nothing creates tidemark.u before it is used",
    ],
    ["no alias", TABLE + VIEW.replace("s.a AS a", "s.a"), "tidemark.v gives no alias to expression 1"],
    ["a column left out", TABLE + VIEW.replace("s.a AS a,", ""), "tidemark.v does not fill tidemark.t.a"],
    [
      "a column added later",
      `${TABLE + VIEW}ALTER TABLE tidemark.t ADD COLUMN IF NOT EXISTS c UInt8 COMMENT 'C';`,
      "tidemark.v does not fill tidemark.t.c",
    ],
    [
      "a wrong alias",
      TABLE + VIEW.replace("s.a AS a", "s.a AS aa"),
      "tidemark.v selects aa, which tidemark.t lacks",
    ],
    [
      "no window",
      TABLE.replace(/SETTINGS.*;/u, ";"),
      "tidemark.t does not set non_replicated_deduplication_window",
    ],
    [
      "the other window",
      TABLE.replace("non_replicated", "replicated"),
      "tidemark.t does not set non_replicated_deduplication_window",
    ],
    [
      "a replicated table",
      TABLE.replace("= MergeTree", "= ReplicatedMergeTree"),
      "tidemark.t does not set replicated_deduplication_window",
    ],
    ["no comment", TABLE.replace("COMMENT 'it''s'", ""), "tidemark.t.b has no COMMENT"],
    ["no comment in a view", TABLE + READABLE.replace(" COMMENT 'B'", ""), "bi.v.b has no COMMENT"],
    ["no comment on a view", TABLE + READABLE.replace("COMMENT 'A view'", ""), "bi.v has no COMMENT"],
    [
      "a type that is not ordinary",
      TABLE + READABLE.replace("a String", "a LowCardinality(String)"),
      "bi.v.a is of type LowCardinality(String)",
    ],
    [
      "a view that reads as whoever asks",
      TABLE + READABLE.replace("DEFINER = tidemark_bi SQL SECURITY DEFINER", ""),
      "bi.v does not run as tidemark_bi",
    ],
    [
      "a view that declares other columns",
      TABLE + READABLE.replace("s.a AS a", "s.a AS c"),
      "bi.v declares other columns than it selects",
    ],
    ["a view of nothing", READABLE, "f: nothing creates tidemark.t before it is used"],
    ["an empty comment", TABLE.replace("'it''s'", "''"), "tidemark.t.b has no COMMENT"],
  ])("sees %s", (_, sql, problem) => {
    expect(problemsOf(sql)).toContainEqual(expect.stringContaining(problem))
  })

  it("does not take a comment for SQL", () => {
    expect(problemsOf(TABLE.replace("b Tuple", "-- c, d\n b Tuple"))).toEqual([])
  })
})
