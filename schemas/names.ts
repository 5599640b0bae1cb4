// Names of streams, subjects, buckets and tables, each written once.

export const STREAMS = {
  actions: "ACTIONS",
  directory: "DIRECTORY",
  deadLetters: "DEAD_LETTERS",
  audit: "AUDIT",
  /** Export jobs that wait or run; a work queue. */
  exports: "EXPORTS",
} as const

export const BUCKETS = {
  /** The writer's ledger, a key per stream partition. */
  ledger: "ledger",
  /** The writer processes that live, a key each. */
  writers: "writers",
  /** API keys by tenant and the SHA-256 of the key. */
  apiKeys: "api-keys",
  /** When each key was used last. */
  keyUses: "api-key-uses",
  /** What super admins let others do, a record a tenant. */
  grants: "grants",
  /** What super admins switch, a record a tenant. */
  tenantSettings: "tenant-settings",
  /** What became of dead letters, `<stream>.<generation>.<sequence>` of the original. */
  deadLetters: "dead-letters",
  /** Who was erased by deletion, `<tenant>.<kind>.<id in base64url>`. */
  tombstones: "tombstones",
  /** What is known of export jobs, `<tenant>.<id>`. */
  exports: "exports",
} as const

/** The object store of the exports' files, where no other is set. */
export const EXPORT_FILES = "exports"

export const DATABASE = "tidemark"

/** Where rollups are built anew. */
export const REBUILD_DATABASE = "tidemark_rebuild"

const table = <Name extends string>(name: Name) => `${DATABASE}.${name}` as const

export const TABLES = {
  actions: table("actions"),
  activity15m: table("user_activity_15m"),
  activityDaily: table("user_activity_daily"),
  clientActivity15m: table("client_activity_15m"),
  tenants: table("directory_tenants"),
  teams: table("directory_teams"),
  users: table("directory_users"),
  clients: table("directory_clients"),
  candidates: table("directory_candidates"),
  jobs: table("directory_jobs"),
  licenseEvents: table("directory_license_events"),
  targets: table("directory_targets"),
  directoryProgress: table("directory_progress"),
  dataQuality: table("data_quality"),
  auditLog: table("audit_log"),
  auditProgress: table("audit_progress"),
  auditProofs: table("audit_proofs"),
  auditMonths: table("audit_months"),
  auditStandings: table("audit_standings"),
  erasures: table("erasures"),
} as const

export const SUBJECTS = {
  actions: "actions.v1",
  directory: "directory.v1",
  deadLetters: "dead.v1",
  audit: "audit.v1",
  exports: "exports.v1",
} as const

/** `actions.v1.<tenant>.<object>.<verb>` */
export const actionSubject = (tenant: string, type: string): string => `${SUBJECTS.actions}.${tenant}.${type}`

/** `directory.v1.<tenant>.<object>.<verb>` */
export const directorySubject = (tenant: string, type: string): string =>
  `${SUBJECTS.directory}.${tenant}.${type}`

/** `audit.v1.<tenant>` */
export const auditSubject = (tenant: string): string => `${SUBJECTS.audit}.${tenant}`

/** Stands for the tenant of a dead letter whose subject names none, and of a call of the operator that concerned none. */
export const NO_TENANT = "_"

/** `dead.v1.<tenant>.<reason>` */
export const deadLetterSubject = (tenant: string, reason: string): string =>
  `${SUBJECTS.deadLetters}.${tenant}.${reason}`

/** What the broker drops repeats by: `<tenant>:<id>`. */
export const messageId = (tenant: string, eventId: string): string => `${tenant}:${eventId}`

/** `exports.v1.<tenant>` */
export const exportSubject = (tenant: string): string => `${SUBJECTS.exports}.${tenant}`
