-- Targets, every version: the one of a week or month is that of the greatest holds_from at or before its first day,
-- and of several of one holds_from that of the last (set_at, event_id).
CREATE TABLE IF NOT EXISTS tidemark.directory_targets
(
    tenant     LowCardinality(String) COMMENT 'The tenant',
    scope      LowCardinality(String) COMMENT 'user: of one member, team: of the sum of a team, team_members: of each member of a team, everyone: of each member',
    scope_id   String COMMENT 'The user or team; empty for everyone',
    metric     LowCardinality(String) COMMENT 'A metric of the catalogue, or active_days',
    period     LowCardinality(String) COMMENT 'week (from Monday) or month',
    holds_from Date COMMENT 'The first calendar day on which it holds',
    set_at     DateTime64(3, 'UTC') COMMENT 'When it was set',
    event_id   String COMMENT 'Breaks ties of set_at',
    value      Nullable(UInt32) COMMENT 'What is to be reached; NULL: no such target any more',
    set_by     String COMMENT 'Who set it, as the sender says; empty when it does not'
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant, scope, scope_id, metric, period, holds_from, set_at, event_id)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    non_replicated_deduplication_window = 0;
