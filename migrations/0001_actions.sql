-- The raw table: one row an action event, the log of what users did and the truth that every rollup sums up.
CREATE TABLE IF NOT EXISTS tidemark.actions
(
    tenant          LowCardinality(String) COMMENT 'The hiring platform''s customer whose users act',
    id              String COMMENT 'The event''s id, unique with tenant and time',
    type            LowCardinality(String) COMMENT 'What was done: <object>.<verb> of the catalogue',
    time            DateTime64(3, 'UTC') COMMENT 'Event time: when the action happened',
    source          LowCardinality(String) COMMENT 'The application that sent the event (URI reference)',
    actor_id        String COMMENT 'Who acted, an opaque id of the directory',
    actor_type      LowCardinality(String) COMMENT 'member, client, candidate, service or system',
    impersonator_id String COMMENT 'The real person behind an impersonated action, empty when there is none',
    automated       Bool COMMENT 'True when a program acted, not a person',
    quantity        UInt32 COMMENT 'How many things a bulk action touched, 1 by default',
    client_id       String COMMENT 'The client concerned, empty when there is none',
    candidate_id    String COMMENT 'The candidate concerned, empty when there is none',
    contact_id      String COMMENT 'The contact concerned, empty when there is none',
    job_id          String COMMENT 'The job concerned, empty when there is none',
    page            String COMMENT 'The page of the application, empty when unknown',
    channel         LowCardinality(String) COMMENT 'web, mobile, extension, api, email_sync, import or automation',
    session_id      String COMMENT 'The session, empty when unknown',
    correlation_id  String COMMENT 'The producer''s correlation id, empty when there is none',
    properties      String COMMENT 'Further properties as a JSON object, empty when there are none',
    zone            LowCardinality(String) COMMENT 'The tenant''s reporting time zone when the row was written',
    local_day       Date COMMENT 'The calendar day of time in zone',
    generation      UInt32 COMMENT 'Which life of the stream the sequence belongs to',
    stream          LowCardinality(String) COMMENT 'The stream that carried the event',
    stream_seq      UInt64 COMMENT 'The message''s sequence in the stream',
    received_at     DateTime64(3, 'UTC') COMMENT 'When the stream received the message',
    -- Rows beyond the writer's horizon are looked for at every start.
    INDEX stream_seq_range stream_seq TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(time)
-- Repeats are looked up by (tenant, UTC day, id).
ORDER BY (tenant, toDate(time), id)
-- Actions are accepted for 25 months; two more keep a replay of an accepted one from falling into a dropped part.
TTL toDateTime(time) + INTERVAL 27 MONTH
SETTINGS
    ttl_only_drop_parts = 1,
    -- An acknowledged insert survives the machine, not just the process.
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    -- Repeats are told by identity; a block that looks like an earlier one is never dropped.
    non_replicated_deduplication_window = 0;
