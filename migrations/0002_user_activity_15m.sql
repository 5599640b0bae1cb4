-- What each member did by UTC quarter hour: answers for every time zone, since all offsets are whole quarters.
CREATE TABLE IF NOT EXISTS tidemark.user_activity_15m
(
    tenant   LowCardinality(String) COMMENT 'The tenant',
    quarter  DateTime('UTC') COMMENT 'The quarter hour''s first instant',
    user_id  String COMMENT 'The member who acted',
    action   LowCardinality(String) COMMENT 'The action''s type in the catalogue',
    events   SimpleAggregateFunction(sum, Int64) COMMENT 'Number of events; signed, so that a correction can be added',
    quantity SimpleAggregateFunction(sum, Int64) COMMENT 'Sum of quantity: the action''s metric; signed likewise',
    last_at  SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'The latest event time'
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(quarter)
ORDER BY (tenant, quarter, user_id, action)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    non_replicated_deduplication_window = 0;

-- Automated and impersonated actions are in the log and in no metric.
CREATE MATERIALIZED VIEW IF NOT EXISTS tidemark.user_activity_15m_view TO tidemark.user_activity_15m AS
SELECT
    a.tenant AS tenant,
    toStartOfFifteenMinutes(a.time) AS quarter,
    a.actor_id AS user_id,
    a.type AS action,
    toInt64(count()) AS events,
    toInt64(sum(a.quantity)) AS quantity,
    max(a.time) AS last_at
FROM tidemark.actions AS a
WHERE a.actor_type = 'member' AND NOT a.automated AND a.impersonator_id = ''
GROUP BY tenant, quarter, user_id, action;
