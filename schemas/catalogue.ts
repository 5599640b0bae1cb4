import { Schema } from "effect"
import data from "./catalogue.json" with { type: "json" }

export const REFERENCES = ["client_id", "candidate_id", "contact_id", "job_id", "page"] as const

export const Action = Schema.Struct({
  type: Schema.String,
  label: Schema.String,
  /** The key under which reports show the action's sum of `quantity`. */
  metric: Schema.String,
  /** Fields of `data` without which the action says nothing. */
  requires: Schema.Array(Schema.Literals(REFERENCES)),
  /** Makes a member count as active. */
  activates_member: Schema.Boolean,
  /** Makes a client's user count as active. */
  activates_client: Schema.Boolean,
})
export type Action = typeof Action.Type

export const Catalogue = Schema.Struct({
  version: Schema.Int,
  actions: Schema.Array(Action),
})

/** The actions that Tidemark knows; `catalogue.json` is the data. */
export const CATALOGUE = Schema.decodeUnknownSync(Catalogue)(data)

export const ACTION_BY_TYPE: ReadonlyMap<string, Action> = new Map(
  CATALOGUE.actions.map((action) => [action.type, action]),
)

export const METRICS: ReadonlyArray<string> = CATALOGUE.actions.map((action) => action.metric)

export const ACTION_BY_METRIC: ReadonlyMap<string, Action> = new Map(
  CATALOGUE.actions.map((action) => [action.metric, action]),
)

/** Action types that make a member count as active. */
export const MEMBER_ACTIVATING: ReadonlyArray<string> = CATALOGUE.actions
  .filter((action) => action.activates_member)
  .map((action) => action.type)
