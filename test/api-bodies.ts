// Bodies that operations take, as the specification alone does not tell what is known to a tenant; and the places in
// them that take a value, which it does tell.
import { CATALOGUE } from "#schemas/catalogue.ts"
import { DIRECTORY_TYPES, type DirectoryType } from "#schemas/directory-event.ts"
import { type Json, type Operation, resolved } from "./api-operations.ts"
import { RANGE, type World } from "./api-world.ts"
import { eventOf } from "./plain-bodies.ts"

type Named = Pick<World, "tenant" | "ids">

const first = (ids: ReadonlyArray<string>): string => ids[0] ?? ""

/** One of each action that needs other references. */
export const actionsOf = ({ tenant, ids }: Named): ReadonlyArray<object> => {
  const references = {
    client_id: first(ids.client_id),
    candidate_id: first(ids.candidate_id),
    contact_id: "p",
    job_id: first(ids.job_id),
    page: "jobs",
  }
  const actor = { actor_id: first(ids.user_id), actor_type: "member" }
  return [...new Map(CATALOGUE.actions.map((action) => [action.requires.join(), action])).values()].map(
    ({ type, requires }) =>
      eventOf(tenant, type, {
        ...actor,
        ...Object.fromEntries(requires.map((reference) => [reference, references[reference]])),
      }),
  )
}

/** One of each event of the directory. */
const directoryOf = ({ tenant, ids }: Named): ReadonlyArray<object> => {
  const user = { user_id: first(ids.user_id) }
  const [client_id, candidate_id] = [first(ids.client_id), first(ids.candidate_id)]
  const data: Readonly<Record<DirectoryType, object>> = {
    "tenant.upserted": { name: "T", time_zone: "UTC" },
    "team.upserted": { team_id: first(ids.team_id), name: "T" },
    "user.upserted": { ...user, kind: "member", name: "N", email: "n@example.org", team_ids: ids.team_id },
    "user.erased": user,
    "license.assigned": user,
    "license.disabled": user,
    "license.enabled": user,
    "license.deleted": user,
    "client.upserted": { client_id, name: "C" },
    "candidate.upserted": { candidate_id, name: "N", email: "n@example.org" },
    "candidate.erased": { candidate_id },
    "job.upserted": { job_id: first(ids.job_id), title: "J", client_id, status: "open" },
    "target.set": {
      ...user,
      metric: "cv_downloads",
      period: "week",
      scope: "user",
      value: 5,
      holds_from: "2026-10-05",
      set_by: "k",
    },
  }
  return DIRECTORY_TYPES.map((type) => eventOf(tenant, type, data[type]))
}

/** Good bodies of an operation, one of each kind. */
export const bodiesOf = ({ name }: Pick<Operation, "name">, world: Named): ReadonlyArray<unknown> => {
  const { ids } = world
  const target = { metric: "cv_downloads", period: "week", value: 5 }
  const exported = { format: "csv", ...RANGE }
  const bodies: Readonly<Record<string, () => ReadonlyArray<unknown>>> = {
    "POST /v1/events": () => actionsOf(world),
    "POST /v1/events/batch": () => actionsOf(world).map((made) => [made]),
    "POST /v1/directory/batch": () => directoryOf(world).map((made) => [made]),
    "PUT /v1/targets": () => [
      { ...target, scope: "everyone" },
      { ...target, scope: "user", user_id: first(ids.user_id) },
      { ...target, scope: "team", team_id: first(ids.team_id) },
      { ...target, scope: "team_members", team_id: first(ids.team_id), holds_from: "2026-10-05" },
    ],
    "POST /v1/api-keys": () => [
      { role: "recruiter", name: "Made" },
      { role: "member", user: first(ids.user_id) },
    ],
    "PUT /v1/grants/{subject}": () => [{ rights: ["see_actions"] }],
    "PUT /v1/settings": () => [{ signals: { engaged_days: 14 } }],
    "POST /v1/exports": () => [
      { report: "user_actions", ...exported, csv: { bom: true } },
      { report: "user_insights", ...exported, csv: { defuse: true } },
    ],
  }
  return bodies[name]?.() ?? []
}

/** Where a body takes a value. */
export interface Leaf {
  readonly place: ReadonlyArray<string>
  readonly schema: Json
}

/** Of what may be a list or one of its values: the list. */
const asList = (schema: Json): Json => {
  const choices = (schema["anyOf"] ?? []) as ReadonlyArray<Json>
  return choices.map(resolved).find(({ type }) => type === "array") ?? schema
}

/** What a schema is made of, without the parts that name another kind of thing than the example is. */
const partsOf = (schema: Json, example: unknown): ReadonlyArray<Json> => {
  const parts = ["anyOf", "oneOf", "allOf"].flatMap((key) => (schema[key] as ReadonlyArray<Json>) ?? [])
  return parts.map(resolved).filter(({ properties = {} }) =>
    Object.entries(properties as Json).every(([name, inner]) => {
      const { enum: values = [] } = inner as { readonly enum?: ReadonlyArray<unknown> }
      return values.length !== 1 || values[0] === (example as Json | undefined)?.[name]
    }),
  )
}

/** Every place of a body like the example that takes a text of the caller's choice, nested ones too. */
export const leavesOf = (
  given: Json,
  example: unknown,
  place: ReadonlyArray<string> = [],
): ReadonlyArray<Leaf> => {
  const schema = asList(resolved(given))
  const items = resolved((schema["items"] ?? {}) as Json)
  if (Array.isArray(example) && "properties" in { ...items, ...partsOf(items, example[0])[0] })
    return leavesOf(items, example[0], [...place, "0"])
  const fields = Object.entries((schema["properties"] ?? {}) as Json).flatMap(([name, inner]) =>
    leavesOf(inner as Json, (example as Json | undefined)?.[name], [...place, name]),
  )
  const parts = partsOf(schema, example).flatMap((part) => leavesOf(part, example, place))
  const all = [...fields, ...parts].filter((leaf) => leaf.place.length > place.length)
  if (all.length > 0) return [...new Map(all.map((leaf) => [leaf.place.join("."), leaf])).values()]
  const isFree = [schema, items].every((part) => part["enum"] === undefined && part["const"] === undefined)
  const isText = schema["type"] === "string" || items["type"] === "string"
  return place.length > 0 && isFree && isText ? [{ place, schema }] : []
}

/** The body with another value in one of its places. */
export const withLeaf = (body: unknown, [name, ...rest]: ReadonlyArray<string>, value: unknown): unknown => {
  if (name === undefined) return value
  if (Array.isArray(body))
    return body.map((item: unknown, n) => (String(n) === name ? withLeaf(item, rest, value) : item))
  return { ...(body as object), [name]: withLeaf((body as Json | undefined)?.[name], rest, value) }
}
