/** Somebody whose data is to go: a user of a member or a client, or a candidate. */
export interface Person {
  readonly tenant: string
  readonly kind: "user" | "candidate"
  /** The opaque id that events and directory call them by. */
  readonly id: string
}

/** What says who an action was by and about. */
export interface Concerned {
  readonly actor_id: string
  readonly actor_type: string
  readonly impersonator_id?: string | undefined
  readonly candidate_id?: string | undefined
}

/** Whether an action is the person's: a user's own ones and those done in the user's name, and all about a candidate. */
export const isOf = (kind: Person["kind"], id: string, data: Concerned): boolean =>
  kind === "user"
    ? (data.actor_id === id && data.actor_type !== "candidate") || data.impersonator_id === id
    : data.candidate_id === id || (data.actor_id === id && data.actor_type === "candidate")

/** The same of rows of raw, `{id:String}` being the id. */
export const ROWS_OF: Readonly<Record<Person["kind"], string>> = {
  user: "((actor_id = {id:String} AND actor_type != 'candidate') OR impersonator_id = {id:String})",
  candidate: "(candidate_id = {id:String} OR (actor_id = {id:String} AND actor_type = 'candidate'))",
}
