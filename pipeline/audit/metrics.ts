/** What the audits of a process found last. Plain numbers, read by whoever renders them; undefined while unknown. */
export interface AuditMetrics {
  /** Differences that the last audit found and none has cleared since; 0 is the proof. */
  differences: number | undefined
  /** When the last one ended, milliseconds since 1970, and how long it took. */
  endedAt: number | undefined
  seconds: number | undefined
  /** Sequence up to which a stream is proved, by stream. */
  readonly proved: Map<string, number>
}

export const makeAuditMetrics = (): AuditMetrics => ({
  differences: undefined,
  endedAt: undefined,
  seconds: undefined,
  proved: new Map(),
})
