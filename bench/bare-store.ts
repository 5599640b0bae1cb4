import { Effect } from "effect"
import { ClickHouse } from "#clickhouse"

/** Where the bare loop writes: the event as it is, in the raw table's order, with or without the same rollups. */
export const makeBareStore = Effect.fn("makeBareStore")(function* (name: string, withViews: boolean) {
  const store = yield* ClickHouse
  yield* store.command("CREATE DATABASE IF NOT EXISTS bench ENGINE = Atomic")
  yield* store.command(`DROP TABLE IF EXISTS bench.${name}`)
  yield* store.command(`
    CREATE TABLE bench.${name}
    (
        tenantid LowCardinality(String),
        id String,
        type LowCardinality(String),
        time DateTime64(3, 'UTC'),
        source LowCardinality(String),
        data Tuple(
            actor_id String, actor_type String, impersonator_id String, automated Bool, quantity UInt32,
            client_id String, candidate_id String, contact_id String, job_id String, page String, channel String,
            session_id String, correlation_id String, properties Map(String, String))
    )
    ENGINE = MergeTree
    PARTITION BY toYYYYMM(time)
    ORDER BY (tenantid, toDate(time), id)
    SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`)
  if (!withViews) return
  for (const [rollup, key] of [
    ["quarters", "toStartOfFifteenMinutes(time)"],
    ["days", "toDate(time)"],
  ] as const) {
    yield* store.command(`DROP VIEW IF EXISTS bench.${name}_${rollup}`)
    yield* store.command(`
      CREATE MATERIALIZED VIEW bench.${name}_${rollup}
      ENGINE = SummingMergeTree ORDER BY (tenantid, at, user_id, type)
      SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
      AS SELECT tenantid, ${key} AS at, data.actor_id AS user_id, type, count() AS events, sum(data.quantity) AS quantity
      FROM bench.${name} WHERE data.actor_type = 'member' AND NOT data.automated GROUP BY tenantid, at, user_id, type`)
  }
  yield* store.command(`DROP VIEW IF EXISTS bench.${name}_clients`)
  yield* store.command(`
    CREATE MATERIALIZED VIEW bench.${name}_clients
    ENGINE = SummingMergeTree ORDER BY (tenantid, type, client_id, at, job_id, candidate_id, by_client)
    SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
    AS SELECT tenantid, type, data.client_id AS client_id, toStartOfFifteenMinutes(time) AS at, data.job_id AS job_id,
      data.candidate_id AS candidate_id, data.actor_type = 'client' AS by_client, count() AS events,
      sum(data.quantity) AS quantity
    FROM bench.${name} WHERE data.client_id != '' AND NOT data.automated
    GROUP BY tenantid, type, client_id, at, job_id, candidate_id, by_client`)
})
