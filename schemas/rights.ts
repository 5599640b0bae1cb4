/** What a key may be for. */
export const ROLES = ["super_admin", "manager", "member", "recruiter", "producer"] as const

/** What a route asks of a credential: the closed list. */
export const RIGHTS = [
  "send_actions",
  "send_directory",
  "see_catalog",
  /** Reports over members: licences, activity, teams, rankings, adoption, targets. */
  "see_insights",
  /** Client engagement and signals. */
  "see_clients",
  /** The action log. */
  "see_actions",
  /** Export what one may see. */
  "export",
  "manage_targets",
  "manage_keys",
  "manage_grants",
  "manage_settings",
  "see_audit_log",
  /** What audits say of the numbers. */
  "see_data_quality",
  /** See, replay and discard messages that could not be stored. */
  "manage_dead_letters",
] as const
