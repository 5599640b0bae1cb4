-- What each member did by calendar day of the tenant's own zone. It answers for a tenant while every row of it
-- carries the tenant's present zone; otherwise the quarter hours do.
CREATE TABLE IF NOT EXISTS tidemark.user_activity_daily
(
    tenant   LowCardinality(String) COMMENT 'The tenant',
    zone     LowCardinality(String) COMMENT 'The time zone in which day is a calendar day',
    day      Date COMMENT 'The calendar day in zone',
    user_id  String COMMENT 'The member who acted',
    action   LowCardinality(String) COMMENT 'The action''s type in the catalogue',
    events   SimpleAggregateFunction(sum, Int64) COMMENT 'Number of events; signed, so that a correction can be added',
    quantity SimpleAggregateFunction(sum, Int64) COMMENT 'Sum of quantity: the action''s metric; signed likewise',
    last_at  SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'The latest event time'
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (tenant, zone, day, user_id, action)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    non_replicated_deduplication_window = 0;

CREATE MATERIALIZED VIEW IF NOT EXISTS tidemark.user_activity_daily_view TO tidemark.user_activity_daily AS
SELECT
    a.tenant AS tenant,
    a.zone AS zone,
    a.local_day AS day,
    a.actor_id AS user_id,
    a.type AS action,
    toInt64(count()) AS events,
    toInt64(sum(a.quantity)) AS quantity,
    max(a.time) AS last_at
FROM tidemark.actions AS a
WHERE a.actor_type = 'member' AND NOT a.automated AND a.impersonator_id = ''
GROUP BY tenant, zone, day, user_id, action;
