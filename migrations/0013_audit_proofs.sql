-- What audits proved of the stream: ranges of sequences, each compared with raw. The next audit begins where the last ends.
CREATE TABLE IF NOT EXISTS tidemark.audit_proofs
(
    at          DateTime64(3, 'UTC') COMMENT 'When the range had been compared',
    stream      LowCardinality(String) COMMENT 'The stream',
    generation  UInt32 COMMENT 'The life of the stream that the sequences belong to',
    from_seq    UInt64 COMMENT 'The first sequence',
    to_seq      UInt64 COMMENT 'The last sequence',
    messages    UInt64 COMMENT 'Messages that the stream holds of the range',
    events      UInt64 COMMENT 'Valid ones among them, repeats included',
    repeats     UInt64 COMMENT 'Valid messages whose event stands under another sequence',
    refused     UInt64 COMMENT 'Messages that are dead letters',
    gone        UInt64 COMMENT 'Sequences that the stream did not hold any more: nothing is said of them',
    differences UInt64 COMMENT 'Differences between stream and raw; 0 is the proof',
    seconds     Float64 COMMENT 'How long it took'
)
ENGINE = MergeTree
ORDER BY (stream, generation, to_seq)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    non_replicated_deduplication_window = 0;

-- What audits proved of the rollups: months of raw, each compared with every rollup. A month is compared again when its
-- parts are others than they were.
CREATE TABLE IF NOT EXISTS tidemark.audit_months
(
    month       UInt32 COMMENT 'YYYYMM, in UTC',
    at          DateTime64(3, 'UTC') COMMENT 'When it had been compared',
    parts       String COMMENT 'Fingerprint of the month''s parts in raw and in the rollups, taken before',
    events      UInt64 COMMENT 'Rows of raw',
    differences UInt64 COMMENT 'Keys of rollups that differ, and events that stand in raw more than once; 0 is the proof',
    seconds     Float64 COMMENT 'How long it took'
)
ENGINE = MergeTree
ORDER BY (month, at)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    non_replicated_deduplication_window = 0;

-- What the audits of a stream come to, written at the end of each.
CREATE TABLE IF NOT EXISTS tidemark.audit_standings
(
    at             DateTime64(3, 'UTC') COMMENT 'When the audit ended',
    stream         LowCardinality(String) COMMENT 'The stream',
    generation     UInt32 COMMENT 'Its life that was audited',
    proved_through UInt64 COMMENT 'Everything up to this sequence is proved, without a gap; 0 when nothing is',
    differences    UInt64 COMMENT 'Those that no later comparison has cleared; 0 is the proof',
    gone           UInt64 COMMENT 'Sequences that had left the stream before they were compared'
)
ENGINE = MergeTree
ORDER BY (stream, at)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    non_replicated_deduplication_window = 0;

ALTER TABLE tidemark.data_quality COMMENT COLUMN IF EXISTS kind 'messages_gone, new_generation or audit_differences';
