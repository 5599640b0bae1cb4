// What users.xml grants and limits, as the server sees it. Plain HTTP: our client's own settings are refused to a
// user with readonly = 1, as to any BI tool's.
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest"
import { DATABASE } from "#schemas/names.ts"
import { ROLLUPS } from "../../pipeline/writer/rollups.ts"
import { asBiUser, BI_TENANTS } from "../../test/bi-users.ts"

const OK = 0
const READONLY = 164
const ACCESS_DENIED = 497
const UNKNOWN_TABLE = 60
const AUTHENTICATION_FAILED = 516
const SETTING_CONSTRAINT_VIOLATION = 452
const TIMEOUT_EXCEEDED = 159
const TOO_MANY_ROWS_OR_BYTES = 396
const MEMORY_LIMIT_EXCEEDED = 241

/** The server's error code of a statement that a user runs. */
const run = async (user: string, statement: string, password = ""): Promise<number> => {
  const response = await fetch(`${inject("clickhouseUrl")}/?wait_end_of_query=1`, {
    method: "POST",
    body: statement,
    headers: { "X-ClickHouse-User": user, "X-ClickHouse-Key": password },
  })
  await response.text()
  return response.ok ? OK : Number(response.headers.get("X-ClickHouse-Exception-Code") ?? Number.NaN)
}

const CREATE = "CREATE TABLE IF NOT EXISTS tidemark.users_test (a String) ENGINE = MergeTree ORDER BY a"
const ADD = "ALTER TABLE tidemark.users_test ADD COLUMN IF NOT EXISTS b String"
const SELECT = "SELECT count() FROM tidemark.users_test"
const INSERT = "INSERT INTO tidemark.users_test (a) VALUES ('x')"
const DELETE = "ALTER TABLE tidemark.users_test DELETE WHERE 1 SETTINGS mutations_sync = 2"
const UPDATE = "ALTER TABLE tidemark.users_test UPDATE a = '' WHERE 1"
const TRUNCATE = "TRUNCATE TABLE tidemark.users_test"
const DROP = "DROP TABLE tidemark.users_test"
const READ_FILE = "SELECT * FROM file('/etc/passwd', LineAsString)"
const READ_URL = "SELECT * FROM url('http://127.0.0.1:1/', LineAsString)"
const SHADOW = "CREATE TABLE IF NOT EXISTS tidemark_rebuild.users_test AS tidemark.user_activity_15m"
const exchange = (table: string) => `EXCHANGE TABLES tidemark_rebuild.nobodys AND tidemark.${table}`
const KILL = "KILL QUERY WHERE query_id = 'nobody''s' SYNC"

beforeAll(async () => {
  expect(await run("tidemark_migrator", CREATE)).toBe(OK)
})
afterAll(async () => {
  expect(await run("tidemark_migrator", DROP)).toBe(OK)
})

describe("rights", () => {
  it.each([
    ["tidemark_migrator", [SELECT, INSERT, ADD, TRUNCATE]],
    ["tidemark_writer", [SELECT, INSERT, DELETE, KILL]],
    ["tidemark_api", [SELECT]],
    ["tidemark_exporter", [SELECT]],
    ["tidemark_reader", [SELECT]],
  ])("%s may do its work", async (user, statements) => {
    for (const statement of statements)
      expect([statement, await run(user, statement)]).toEqual([statement, OK])
  })

  it.each([
    [
      "tidemark_migrator",
      ["DROP DATABASE tidemark", "CREATE DATABASE users_test", "CREATE USER users_test", READ_FILE, KILL],
    ],
    [
      "tidemark_writer",
      [CREATE, ADD, UPDATE, TRUNCATE, DROP, exchange("users_test"), exchange("actions"), READ_FILE, READ_URL],
    ],
    ["tidemark_api", [INSERT, DELETE, UPDATE, CREATE, ADD, TRUNCATE, DROP, KILL, READ_FILE, READ_URL]],
    ["tidemark_exporter", [INSERT, DELETE, UPDATE, CREATE, ADD, TRUNCATE, DROP, KILL, READ_FILE, READ_URL]],
    ["tidemark_reader", [INSERT, DELETE, UPDATE, CREATE, ADD, TRUNCATE, DROP, KILL, READ_FILE, READ_URL]],
  ])("%s may do nothing else", async (user, statements) => {
    for (const statement of statements)
      expect([statement, await run(user, statement)]).toEqual([
        statement,
        expect.toBeOneOf([ACCESS_DENIED, READONLY]),
      ])
  })

  it.each(ROLLUPS.map(({ table }) => table.slice(DATABASE.length + 1)))(
    "tidemark_writer alone may exchange %s, which it may not alter",
    async (table) => {
      expect(await run("tidemark_writer", exchange(table))).toBe(UNKNOWN_TABLE)
      for (const change of [
        "ADD COLUMN x String",
        "MODIFY SETTING merge_with_ttl_timeout = 1",
        "MODIFY COMMENT 'x'",
      ])
        expect(await run("tidemark_writer", `ALTER TABLE tidemark.${table} ${change}`)).toBe(ACCESS_DENIED)
      for (const user of ["tidemark_migrator", "tidemark_api", "tidemark_exporter", "tidemark_reader"])
        expect([user, await run(user, exchange(table))]).toEqual([
          user,
          expect.toBeOneOf([ACCESS_DENIED, READONLY]),
        ])
    },
  )

  it("nobody but tidemark_writer sees what is being built", async () => {
    expect(await run("tidemark_writer", SHADOW)).toBe(OK)
    for (const user of ["tidemark_migrator", "tidemark_api", "tidemark_exporter", "tidemark_reader"])
      expect([user, await run(user, "SELECT count() FROM tidemark_rebuild.users_test")]).toEqual([
        user,
        ACCESS_DENIED,
      ])
    expect(await run("tidemark_writer", "DROP TABLE tidemark_rebuild.users_test")).toBe(OK)
  })

  it.each(["tidemark_migrator", "tidemark_writer", "tidemark_api", "tidemark_reader"])(
    "%s reads no file of the server by the function file()",
    async (user) => {
      for (const statement of ["SELECT file('/etc/hostname')", "SELECT file('/etc/hostname', '')"])
        expect([statement, await run(user, statement)]).not.toEqual([statement, OK])
    },
  )

  it("tidemark_access makes users and reads nothing", async () => {
    expect(await run("tidemark_access", "SELECT name FROM system.users")).toBe(OK)
    for (const statement of [SELECT, CREATE, "SELECT count() FROM bi.users", READ_FILE])
      expect([statement, await run("tidemark_access", statement)]).toEqual([statement, ACCESS_DENIED])
  })

  it("nobody else comes in", async () => {
    expect(await run("nobody", "SELECT 1")).toBe(AUTHENTICATION_FAILED)
  })
})

describe("limits", () => {
  it.each([
    ["tidemark_api", "max_execution_time = 1", OK],
    ["tidemark_api", "max_execution_time = 20", OK],
    ["tidemark_api", "max_execution_time = 21", SETTING_CONSTRAINT_VIOLATION],
    ["tidemark_api", "max_execution_time = 0", SETTING_CONSTRAINT_VIOLATION],
    ["tidemark_api", "max_memory_usage = 1000000001", SETTING_CONSTRAINT_VIOLATION],
    ["tidemark_api", "max_memory_usage = 0", SETTING_CONSTRAINT_VIOLATION],
    ["tidemark_api", "readonly = 0", READONLY],
    ["tidemark_exporter", "max_execution_time = 14400", OK],
    ["tidemark_exporter", "max_execution_time = 14401", SETTING_CONSTRAINT_VIOLATION],
    ["tidemark_exporter", "max_memory_usage = 0", SETTING_CONSTRAINT_VIOLATION],
    ["tidemark_exporter", "readonly = 0", READONLY],
    ["tidemark_reader", "max_execution_time = 60", OK],
    ["tidemark_reader", "max_execution_time = 61", SETTING_CONSTRAINT_VIOLATION],
    ["tidemark_reader", "max_execution_time = 0", SETTING_CONSTRAINT_VIOLATION],
    ["tidemark_reader", "max_memory_usage = 1", READONLY],
  ])("%s with %s", async (user, setting, code) => {
    expect(await run(user, `SELECT 1 SETTINGS ${setting}`)).toBe(code)
  })

  it("a query of the API ends after its time", async () => {
    const slow = "SELECT max(sleepEachRow(0.1)) FROM numbers(100)"
    expect(await run("tidemark_api", `${slow} SETTINGS max_block_size = 1, max_execution_time = 1`)).toBe(
      TIMEOUT_EXCEEDED,
    )
  })

  it("a query of the API ends after its rows", async () => {
    expect(await run("tidemark_api", "SELECT number FROM numbers(1000000) FORMAT Null")).toBe(OK)
    expect(await run("tidemark_api", "SELECT number FROM numbers(1000001) FORMAT Null")).toBe(
      TOO_MANY_ROWS_OR_BYTES,
    )
  })

  it("the queries of a BI user share its memory", { timeout: 120_000 }, async () => {
    const { user, password } = asBiUser(BI_TENANTS.ours)
    // Holds half a gigabyte for two seconds; seven of them, since not all may be at it at once.
    const large = `
      SELECT s FROM (SELECT repeat('x', 999000 + number) AS s FROM numbers(500))
      WHERE length(s) > 0 AND sleepEachRow(0.004) = 0 FORMAT Null`
    const codes = await Promise.all(Array.from({ length: 7 }, () => run(user, large, password)))
    expect(new Set(codes)).toEqual(new Set([OK, MEMORY_LIMIT_EXCEEDED]))
  })

  it.each([{ user: "tidemark_reader", password: "" }, asBiUser(BI_TENANTS.ours)])(
    "the queries of $user have two gigabytes together",
    async ({ user, password }) => {
      const other = "SELECT throwIf(getSetting('max_memory_usage_for_user') != 2000000000)"
      expect(await run(user, other, password)).toBe(OK)
    },
  )
})
