-- What was done about each client by UTC quarter hour: one rollup for the engagement report in every time zone and for
-- the signals. Action comes early in the order, because a signal is about few actions over a long time, and a report
-- about few months, which are partitions.
CREATE TABLE IF NOT EXISTS tidemark.client_activity_15m
(
    tenant       LowCardinality(String) COMMENT 'The tenant',
    action       LowCardinality(String) COMMENT 'The action''s type in the catalogue',
    client_id    String COMMENT 'The client concerned',
    quarter      DateTime('UTC') COMMENT 'The quarter hour''s first instant',
    job_id       String COMMENT 'The job concerned, empty when there is none',
    candidate_id String COMMENT 'The candidate concerned, empty when there is none',
    by_client    Bool COMMENT 'True when a user of the client acted, false when somebody else did',
    events       SimpleAggregateFunction(sum, Int64) COMMENT 'Number of events; signed, so that a correction can be added',
    quantity     SimpleAggregateFunction(sum, Int64) COMMENT 'Sum of quantity; signed likewise',
    first_at     SimpleAggregateFunction(min, DateTime64(3, 'UTC')) COMMENT 'The earliest event time',
    last_at      SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'The latest event time'
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(quarter)
ORDER BY (tenant, action, client_id, quarter, job_id, candidate_id, by_client)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    non_replicated_deduplication_window = 0;

-- Events that name a client and neither job nor candidate are in no report about clients and in no signal.
CREATE MATERIALIZED VIEW IF NOT EXISTS tidemark.client_activity_15m_view TO tidemark.client_activity_15m AS
SELECT
    a.tenant AS tenant,
    a.type AS action,
    a.client_id AS client_id,
    toStartOfFifteenMinutes(a.time) AS quarter,
    a.job_id AS job_id,
    a.candidate_id AS candidate_id,
    toBool(a.actor_type = 'client') AS by_client,
    toInt64(count()) AS events,
    toInt64(sum(a.quantity)) AS quantity,
    min(a.time) AS first_at,
    max(a.time) AS last_at
FROM tidemark.actions AS a
WHERE a.client_id != '' AND (a.job_id != '' OR a.candidate_id != '') AND NOT a.automated AND a.impersonator_id = ''
GROUP BY tenant, action, client_id, quarter, job_id, candidate_id, by_client;
