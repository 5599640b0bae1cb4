-- The audit log: who saw, exported or changed what. A record that is written again has the same key and replaces itself.
CREATE TABLE IF NOT EXISTS tidemark.audit_log
(
    tenant     LowCardinality(String) COMMENT 'The tenant concerned, _ when the operator''s call concerned none or several',
    at         DateTime64(3, 'UTC') COMMENT 'When the answer was ready to be given',
    id         String COMMENT 'The record''s id',
    actor_kind LowCardinality(String) COMMENT 'key, jwt, operator or command_line',
    actor_id   String COMMENT 'The key''s id, the JWT''s user, or the login name on the machine of the command',
    actor_name String COMMENT 'What the key was called then, empty when nothing',
    actor_user String COMMENT 'The user of the directory whom the credential stands for, empty when none',
    actor_role LowCardinality(String) COMMENT 'The role of the credential',
    action     LowCardinality(String) COMMENT 'What was done: report.viewed, export.created, key.revoked …',
    route      LowCardinality(String) COMMENT 'Method and path of the call, or the command',
    subject    String COMMENT 'What it was done to, empty when the route and the filters say it all',
    filters    String COMMENT 'The parameters and the body as a JSON object; e-mail addresses are hashed',
    request_id String COMMENT 'The X-Request-Id of the answer, empty for a command',
    outcome    LowCardinality(String) COMMENT 'ok, or the code of the problem that was answered'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (tenant, at, id)
TTL toDateTime(at) + INTERVAL 3 YEAR
SETTINGS
    ttl_only_drop_parts = 1,
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    non_replicated_deduplication_window = 0;

-- How far the stream of the audit log has been applied; kept beside the rows, as the directory's is.
CREATE TABLE IF NOT EXISTS tidemark.audit_progress
(
    stream     LowCardinality(String) COMMENT 'The stream',
    created    String COMMENT 'When the stream was created, as the broker says it: another one starts anew',
    stream_seq SimpleAggregateFunction(max, UInt64) COMMENT 'Every message up to here is applied'
)
ENGINE = AggregatingMergeTree
ORDER BY (stream, created)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    non_replicated_deduplication_window = 0;
