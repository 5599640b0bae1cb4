// What a tenant's BI user cannot reach beside the views: tables, system tables, functions, settings, and what is new.
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { ask } from "../../test/ask-store.ts"
import { asBiUser, BI_TENANTS } from "../../test/bi-users.ts"
import { ROOT } from "../../test/compose.ts"
import { ACCESS_DENIED, codeOf, fill, MIGRATOR, type Named, READER, seenBy } from "./test-tenants.ts"

const { ours, theirs } = BI_TENANTS
const us = asBiUser(ours)

/** Those that tell of data, users or queries, and those that tools ask. */
const SYSTEM_TABLES =
  "asynchronous_inserts asynchronous_metric_log asynchronous_metrics backups certificates clusters columns completions data_skipping_indices databases detached_parts dictionaries disks distribution_queue errors events filesystem_cache grants graphite_retentions histogram_metrics iceberg_history instrumentation jemalloc_bins macros merges metric_log metrics moves mutations named_collections opentelemetry_span_log part_log part_moves_between_shards parts parts_columns processes processors_profile_log projection_parts projection_parts_columns projections query_cache query_condition_cache query_log query_metric_log query_thread_log query_views_log quota_limits quota_usage quotas quotas_usage replicas replication_queue resources role_grants roles rocksdb row_policies schema_inference_cache server_settings session_log settings settings_changes settings_profile_elements settings_profiles stack_trace storage_policies tables text_log trace_log user_directories user_processes users view_refreshes warnings workloads zookeeper".split(
    " ",
  )
const READONLY = 164
const SETTING_CONSTRAINT_VIOLATION = 452

beforeAll(async () => {
  await fill(ours)
  await fill(theirs)
})

describe("elsewhere", () => {
  it("no table of tidemark can be read", async () => {
    const tables = await ask<Named>("SELECT name FROM system.tables WHERE database = 'tidemark'", MIGRATOR)
    expect(tables.length).toBeGreaterThan(15)
    for (const { name } of tables)
      expect([name, await codeOf(`SELECT count() FROM tidemark.${name}`, us)]).toEqual([name, ACCESS_DENIED])
  })

  it("system tables are refused or tell of nothing else", async () => {
    const answering = new Set<string>()
    for (const name of SYSTEM_TABLES) {
      const rows = await ask(`SELECT * FROM system.\`${name}\` LIMIT 5000`, us).catch(() => undefined)
      if (rows === undefined) continue
      answering.add(name)
      // The text of a view names the tables that it reads.
      const text = JSON.stringify(rows.map((row) => ({ ...row, create_table_query: "", as_select: "" })))
      expect([name, text.includes(theirs), /\btidemark\.|directory_users|user_activity/u.test(text)]).toEqual(
        [name, false, false],
      )
    }
    expect([...answering].toSorted()).toEqual([
      "columns",
      "completions",
      "databases",
      "quota_usage",
      "settings",
      "tables",
    ])
  })

  it.each([
    "SELECT * FROM remote('127.0.0.1', 'tidemark', 'actions')",
    "SELECT * FROM remoteSecure('127.0.0.1', 'tidemark', 'actions')",
    "SELECT * FROM cluster('default', 'tidemark', 'actions')",
    "SELECT * FROM url('http://127.0.0.1:1/', LineAsString)",
    "SELECT * FROM file('/etc/hostname', LineAsString)",
    "SELECT file('/etc/hostname')",
    "SELECT file('/etc/hostname', '')",
    "SELECT * APPLY(file) FROM (SELECT '/etc/hostname' AS path)",
    "SELECT arrayMap(path -> file(path), ['/etc/hostname'])",
    "SELECT content FROM values('path String, content String ALIAS file(path)', '/etc/hostname')",
    "SELECT * FROM s3('http://127.0.0.1:1/x.csv')",
    "SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
    "SELECT * FROM postgresql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
    "SELECT * FROM executable('id', TSV, 'a String')",
    "SELECT * FROM merge('tidemark', '.*')",
    "SELECT * FROM mergeTreeIndex('tidemark', 'actions')",
    "SELECT * FROM loop('tidemark', 'actions')",
    "SELECT hasColumnInTable('tidemark', 'actions', 'tenant')",
    "SELECT dictGet('tidemark.actions', 'tenant', 1)",
    "SELECT joinGet('tidemark.actions', 'tenant', 1)",
    "SHOW CREATE TABLE tidemark.actions",
    "DESCRIBE TABLE tidemark.actions",
    "EXPLAIN ESTIMATE SELECT * FROM tidemark.actions",
    "SHOW PROCESSLIST",
    "SHOW CREATE USER",
    "CREATE TEMPORARY TABLE t (a UInt8)",
    "CREATE VIEW bi.mine AS SELECT 1",
    "CREATE FUNCTION f AS x -> x",
    "INSERT INTO bi.users (user_id) VALUES ('x')",
    "KILL QUERY WHERE 1",
    "SYSTEM DROP MARK CACHE",
    `EXECUTE AS bi_${theirs} SELECT 1`,
  ])("%s is refused", async (statement) => {
    expect(await codeOf(statement, us)).toBeGreaterThan(0)
  })

  it("what may be read if permitted is not", async () => {
    const statement =
      "SELECT * FROM viewIfPermitted(SELECT id FROM tidemark.actions ELSE values('id String', 'none'))"
    expect(await ask(statement, us)).toEqual([{ id: "none" }])
  })

  // Accepted: no row is told, and no schema is a secret.
  it.each([
    ["timeSeriesData('tidemark', 'actions')", 727],
    ["timeSeriesData('tidemark', 'no_such_table')", 60],
    ["mergeTreeProjection('tidemark', 'actions', 'p')", 582],
    ["mergeTreeProjection('tidemark', 'no_such_table', 'p')", 60],
  ])("%s tells whether there is such a table, and no more", async (source, code) => {
    expect(await codeOf(`SELECT * FROM ${source}`, us)).toBe(code)
  })

  it("an estimate tells how many rows and parts a view would read, and no more", async () => {
    const rows = await ask("EXPLAIN ESTIMATE SELECT * FROM bi.client_daily", us)
    expect(rows.length).toBeGreaterThan(0)
    for (const row of rows) {
      const { database, table, parts, rows: count, marks, ...others } = row
      expect([database, others]).toEqual(["tidemark", {}])
      expect([table, parts, count, marks]).toEqual([
        expect.stringMatching(/^[a-z0-9_]+$/u),
        ...[1, 2, 3].map(() => expect.any(Number)),
      ])
    }
  })

  it("nobody comes in as the user whom the views run as", async () => {
    expect(await codeOf("SELECT 1", { user: "tidemark_bi" })).toBe(516)
  })
})

describe("settings", () => {
  it.each([
    ["max_execution_time", "60", 0],
    ["max_execution_time", "61", SETTING_CONSTRAINT_VIOLATION],
    ["max_execution_time", "0", SETTING_CONSTRAINT_VIOLATION],
    ["max_result_rows", "1000", 0],
    ["max_result_rows", "1000001", SETTING_CONSTRAINT_VIOLATION],
    ["max_threads", "1", 0],
    ["max_threads", "64", SETTING_CONSTRAINT_VIOLATION],
    ["log_comment", "a tool", 0],
    ["enable_http_compression", "1", 0],
    ["output_format_json_quote_64bit_integers", "1", 0],
    ["max_memory_usage", "0", READONLY],
    ["readonly", "0", READONLY],
    ["enable_analyzer", "0", READONLY],
    ["additional_table_filters", "{'bi.users': '1'}", READONLY],
    ["query_plan_optimize_join_order_limit", "10", READONLY],
  ])("%s = %s", async (name, value, code) => {
    expect(await codeOf("SELECT 1", { ...us, fields: { [name]: value } })).toBe(code)
  })

  it("a quota counts what it asks in an hour", async () => {
    const [usage] = await ask("SELECT quota_key, max_queries, max_execution_time FROM system.quota_usage", us)
    expect(usage).toMatchObject({ quota_key: us.user, max_execution_time: 3600 })
    expect(Number(usage?.["max_queries"])).toBe(20_000)
  })

  it("a query that burns the processor ends after its time", async () => {
    const burning = "SELECT count() FROM generateRandom('a UInt8') WHERE NOT ignore(a)"
    expect(await codeOf(burning, { ...us, fields: { max_execution_time: "1" } })).toBe(159)
  })
})

describe("what is new", () => {
  const NEW = [
    "CREATE TABLE tidemark.bi_new (tenant String, secret String) ENGINE = MergeTree ORDER BY tenant SETTINGS non_replicated_deduplication_window = 0",
    `INSERT INTO tidemark.bi_new (tenant, secret) VALUES ('${theirs}', 'secret'), ('${ours}', 'ours')`,
    "CREATE TABLE bi.new_table (tenant String, secret String) ENGINE = MergeTree ORDER BY tenant SETTINGS non_replicated_deduplication_window = 0",
    `INSERT INTO bi.new_table (tenant, secret) VALUES ('${theirs}', 'secret')`,
    `CREATE VIEW bi.new_view DEFINER = tidemark_bi SQL SECURITY DEFINER AS SELECT * FROM tidemark.bi_new`,
  ]
  beforeAll(async () => {
    for (const statement of NEW)
      expect([statement, await codeOf(statement, MIGRATOR)]).toEqual([statement, 0])
  })
  afterAll(async () => {
    for (const name of ["bi.new_view", "bi.new_table", "tidemark.bi_new"])
      expect(await codeOf(`DROP TABLE IF EXISTS ${name}`, MIGRATOR)).toBe(0)
  })

  it.each(["tidemark.bi_new", "bi.new_table", "bi.new_view"])("%s is nobody's yet", async (name) => {
    expect(await codeOf(`SELECT count() FROM ${name}`, us)).toBe(ACCESS_DENIED)
    expect(await seenBy(us)).not.toContain(name.split(".")[1])
  })

  it("a table without a policy is not read by a view either, whoever asks", async () => {
    expect(await codeOf("SELECT count() FROM bi.new_view", READER)).toBe(ACCESS_DENIED)
  })
})

it("whom the views run as reads tables that it has a policy for, the same one everywhere", () => {
  const xml = readFileSync(join(ROOT, "deploy", "clickhouse", "users.xml"), "utf8")
  const user = xml.split("<users>")[1]?.split("<tidemark_bi>")[1]?.split("</tidemark_bi>")[0] ?? ""
  const granted = [...user.matchAll(/GRANT SELECT ON tidemark\.(\S+)</gu)].map(([, name]) => name)
  const filters = [...user.matchAll(/<(\w+)><filter>(.*)<\/filter>/gu)]
  expect(granted.length).toBeGreaterThan(8)
  expect(filters.map(([, name]) => name)).toEqual(granted)
  expect(new Set(filters.map(([, , filter]) => filter)).size).toBe(1)
  expect([...user.matchAll(/GRANT (.*) ON tidemark/gu)].map(([, right]) => right)).toEqual(
    granted.map(() => "SELECT"),
  )
})
