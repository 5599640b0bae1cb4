-- Which sequences of a range differ: when others of it have left the stream, a comparison of what is left may clear it.
ALTER TABLE tidemark.audit_proofs
    ADD COLUMN IF NOT EXISTS wrong_from UInt64 DEFAULT 0 COMMENT 'The first sequence that differs; 0 when none does, or it is not known',
    ADD COLUMN IF NOT EXISTS wrong_to UInt64 DEFAULT 0 COMMENT 'The last one, likewise';
