-- Who was erased and what that took. A tombstone that has no line here is carried out by the next writer: the store was put
-- back from a copy that is older than the erasure.
CREATE TABLE IF NOT EXISTS tidemark.erasures
(
    at           DateTime64(3, 'UTC') COMMENT 'When the rows were gone',
    tenant       LowCardinality(String) COMMENT 'The tenant',
    kind         LowCardinality(String) COMMENT 'user or candidate',
    id_hash      String COMMENT 'SHA-256 of the id, in hexadecimal digits',
    mode         LowCardinality(String) COMMENT 'pseudonymise or delete',
    by           String COMMENT 'Who asked for it: a login name, or writer for one that was carried out again',
    events       UInt64 COMMENT 'Rows of raw that were deleted',
    rollup_keys  UInt64 COMMENT 'Keys of rollups that were corrected for it',
    messages     UInt64 COMMENT 'Messages that were taken out of the streams',
    dead_letters UInt64 COMMENT 'Dead letters among them',
    exports      UInt64 COMMENT 'Files of exports that were removed'
)
ENGINE = MergeTree
ORDER BY (tenant, at)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    non_replicated_deduplication_window = 0;
