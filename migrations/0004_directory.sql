-- The directory: who and what the ids of the actions mean. A key's record is one tuple that begins with its version
-- (time, event id), so the greatest record is the newest whatever the order of arrival, and fields that an upsert
-- cleared stay cleared. An erasure is a record of the last representable time: nothing can follow it, and merges
-- drop the names.

-- Tenants: name, reporting time zone, months for which a client's contract binds it.
CREATE TABLE IF NOT EXISTS tidemark.directory_tenants
(
    tenant LowCardinality(String) COMMENT 'The tenant',
    record SimpleAggregateFunction(max, Tuple(
        version DateTime64(3, 'UTC'),
        event_id String,
        name String,
        time_zone String,
        contract_months UInt32
    )) COMMENT 'The newest version of the row: read whole, by max(record)'
)
ENGINE = AggregatingMergeTree
ORDER BY (tenant)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    non_replicated_deduplication_window = 0;

-- Teams of members.
CREATE TABLE IF NOT EXISTS tidemark.directory_teams
(
    tenant LowCardinality(String) COMMENT 'The tenant',
    team_id String COMMENT 'The team',
    record SimpleAggregateFunction(max, Tuple(
        version DateTime64(3, 'UTC'),
        event_id String,
        name String
    )) COMMENT 'The newest version of the row: read whole, by max(record)'
)
ENGINE = AggregatingMergeTree
ORDER BY (tenant, team_id)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    non_replicated_deduplication_window = 0;

-- Users: members (licensed or not) and clients' users.
CREATE TABLE IF NOT EXISTS tidemark.directory_users
(
    tenant LowCardinality(String) COMMENT 'The tenant',
    user_id String COMMENT 'The user, the actor_id of actions',
    record SimpleAggregateFunction(max, Tuple(
        version DateTime64(3, 'UTC'),
        event_id String,
        kind String,
        team_ids Array(String),
        client_id String,
        role String
    )) COMMENT 'The newest version of what is not personal: read whole, by max(record)',
    personal SimpleAggregateFunction(max, Tuple(
        version DateTime64(3, 'UTC'),
        event_id String,
        name String,
        email String,
        erased Bool
    )) COMMENT 'The newest version of what is: an erasure takes it and leaves who belonged where'
)
ENGINE = AggregatingMergeTree
ORDER BY (tenant, user_id)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    non_replicated_deduplication_window = 0;

-- Clients.
CREATE TABLE IF NOT EXISTS tidemark.directory_clients
(
    tenant LowCardinality(String) COMMENT 'The tenant',
    client_id String COMMENT 'The client',
    record SimpleAggregateFunction(max, Tuple(
        version DateTime64(3, 'UTC'),
        event_id String,
        name String
    )) COMMENT 'The newest version of the row: read whole, by max(record)'
)
ENGINE = AggregatingMergeTree
ORDER BY (tenant, client_id)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    non_replicated_deduplication_window = 0;

-- Candidates.
CREATE TABLE IF NOT EXISTS tidemark.directory_candidates
(
    tenant LowCardinality(String) COMMENT 'The tenant',
    candidate_id String COMMENT 'The candidate',
    record SimpleAggregateFunction(max, Tuple(
        version DateTime64(3, 'UTC'),
        event_id String,
        name String,
        email String,
        erased Bool
    )) COMMENT 'The newest version of the row: read whole, by max(record)'
)
ENGINE = AggregatingMergeTree
ORDER BY (tenant, candidate_id)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    non_replicated_deduplication_window = 0;

-- Jobs of clients.
CREATE TABLE IF NOT EXISTS tidemark.directory_jobs
(
    tenant LowCardinality(String) COMMENT 'The tenant',
    job_id String COMMENT 'The job',
    record SimpleAggregateFunction(max, Tuple(
        version DateTime64(3, 'UTC'),
        event_id String,
        title String,
        client_id String,
        status String
    )) COMMENT 'The newest version of the row: read whole, by max(record)'
)
ENGINE = AggregatingMergeTree
ORDER BY (tenant, job_id)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    non_replicated_deduplication_window = 0;

-- Licence events, all of them: a licence's state at an instant is that of the last event at or before it.
CREATE TABLE IF NOT EXISTS tidemark.directory_license_events
(
    tenant   LowCardinality(String) COMMENT 'The tenant',
    user_id  String COMMENT 'The member',
    time     DateTime64(3, 'UTC') COMMENT 'When it took or takes effect',
    event_id String COMMENT 'Breaks ties of time',
    verb     LowCardinality(String) COMMENT 'assigned, enabled (live), disabled or deleted (not live)'
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant, user_id, time, event_id)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    non_replicated_deduplication_window = 0;

-- How far the directory's stream has been applied; kept beside the rows, so that a restored store reads on from
-- where its own rows end.
CREATE TABLE IF NOT EXISTS tidemark.directory_progress
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
