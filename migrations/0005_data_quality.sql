-- What the pipeline could not prove or had to decide: the operator's list of things to look at.
CREATE TABLE IF NOT EXISTS tidemark.data_quality
(
    at         DateTime64(3, 'UTC') COMMENT 'When it was noticed',
    stream     LowCardinality(String) COMMENT 'The stream concerned',
    kind       LowCardinality(String) COMMENT 'messages_gone or new_generation',
    generation UInt32 COMMENT 'The life of the stream that the sequences belong to',
    from_seq   UInt64 COMMENT 'The first sequence concerned',
    to_seq     UInt64 COMMENT 'The last sequence concerned',
    detail     String COMMENT 'What happened and what was done, in words'
)
ENGINE = MergeTree
ORDER BY (stream, at)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    non_replicated_deduplication_window = 0;
