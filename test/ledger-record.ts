import type { LedgerRecord } from "#schemas/ledger.ts"

/** A stream's record before anything happened, of which a test says what matters to it. */
export const ledgerRecord = (stream: string, record: Partial<LedgerRecord> = {}): LedgerRecord => ({
  generation: 1,
  stream,
  created: "2026-11-01T00:00:00Z",
  committed: 0,
  committed_id: "",
  committed_at: 0,
  horizon: 0,
  look_up_all_until: 0,
  duplicate_window: 0,
  max_clock_ahead: 0,
  owner: "test",
  epoch: 1,
  lease_until: 0,
  ...record,
})
