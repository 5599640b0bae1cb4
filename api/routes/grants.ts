import { Effect, Schema } from "effect"
import { type Grant, Grant as GrantSchema, GrantParameters, Grants, NewGrant } from "#schemas/grants.ts"
import { RIGHTS, ROLES } from "#schemas/rights.ts"
import type { Role } from "../auth/credential.ts"
import { type GrantsRecord, readGrants, setGrant } from "../auth/grants.ts"
import { keyById } from "../auth/key-list.ts"
import { alwaysOf, grantableTo, type Right } from "../auth/rights.ts"
import { ok } from "../http/answer.ts"
import { type Call, ofTenant, type Route, route } from "../http/endpoint.ts"
import { refuse } from "../http/failure.ts"
import { checkIfMatch, entityTag, IF_MATCH, TAG } from "../http/precondition.ts"

const PATH = "/v1/grants"
const One = Schema.Struct({ data: GrantSchema })

const grantOf = ({ grants, changed = {} }: GrantsRecord, subject: string): Grant => ({
  subject,
  rights: grants[subject] ?? [],
  changed_at: changed[subject]?.at ?? null,
  changed_by: changed[subject]?.by ?? null,
})

const answer = (record: GrantsRecord, subject: string) => {
  const data = grantOf(record, subject)
  return { ...ok({ data }), headers: { ETag: entityTag(data.rights) } }
}

/** The role whose grants a subject can have; keys that are revoked, or another tenant's, are none. */
const roleOf = Effect.fn("roleOfSubject")(function* (tenant: string, subject: string) {
  const [kind, name = ""] = subject.split(":")
  if (kind === "role") {
    const role = ROLES.find((known) => known === name)
    if (role !== undefined) return role
  } else {
    const found = yield* keyById(tenant, name)
    if (found !== undefined && found.record.revoked_at === undefined) return found.record.role
  }
  return yield* refuse("not_found", `There is no ${kind} ${JSON.stringify(name)}.`)
})

const refuseUngrantable = (role: Role, rights: ReadonlyArray<Right>) => {
  const grantable = grantableTo(role)
  const wrong = rights.filter((right) => !grantable.includes(right))
  if (wrong.length === 0) return Effect.void
  return refuse("not_grantable", `A ${role} cannot be granted ${wrong.join(", ")}.`, {
    hint:
      grantable.length === 0
        ? "Nothing can be granted to this role."
        : `It can be granted ${grantable.join(", ")}.`,
  })
}

const list = route(
  {
    method: "GET",
    path: PATH,
    summary: "What is granted to whom",
    description: "And what each role may do without a grant, and can be granted.",
    right: "manage_grants",
    parameters: Schema.Struct({}),
    answers: { 200: { description: "Every subject that is granted something.", content: Grants } },
  },
  Effect.fn("listGrants")(function* ({ credential }: Call<object>) {
    const { tenant } = yield* ofTenant(credential)
    const record = yield* readGrants(tenant)
    return ok({
      data: Object.keys(record.grants)
        .toSorted()
        .map((subject) => grantOf(record, subject)),
      roles: ROLES.map((role) => ({ role, always: alwaysOf(role), grantable: grantableTo(role) })),
    })
  }),
)

const read = route(
  {
    method: "GET",
    path: `${PATH}/:subject`,
    summary: "What is granted to a role or a key",
    right: "manage_grants",
    parameters: GrantParameters,
    answers: { 200: { description: "With its ETag.", content: One, headers: TAG } },
    problems: ["not_found"],
  },
  Effect.fn("readGrant")(function* ({ credential, parameters: { subject } }: Call<GrantParameters>) {
    const { tenant } = yield* ofTenant(credential)
    yield* roleOf(tenant, subject)
    return answer(yield* readGrants(tenant), subject)
  }),
)

const put = route(
  {
    method: "PUT",
    path: `${PATH}/:subject`,
    summary: "Grant rights to a role or a key",
    description:
      "All rights of the subject at once; they hold within two seconds, each within the scope of the role: a manager sees the members of their own teams, a member their own numbers. What a key is granted is added to what its role is.",
    right: "manage_grants",
    audit: "grant.changed",
    parameters: GrantParameters,
    headers: IF_MATCH,
    json: NewGrant,
    example: { rights: ["see_insights", "export"] },
    answers: { 200: { description: "It is granted.", content: One, headers: TAG } },
    problems: ["not_found", "not_grantable", "precondition_failed"],
  },
  Effect.fn("putGrant")(function* ({
    body,
    credential,
    parameters,
    request,
  }: Call<GrantParameters, NewGrant>) {
    const { tenant, id } = yield* ofTenant(credential)
    const { subject } = parameters
    yield* refuseUngrantable(yield* roleOf(tenant, subject), body.rights)
    const rights = RIGHTS.filter((right) => body.rights.includes(right))
    const { before, after } = yield* setGrant(tenant, { subject, rights, by: id }, (held) =>
      checkIfMatch(request, held),
    )
    return { ...answer(after, subject), record: { subject, before: before.grants[subject] ?? [] } }
  }),
)

const remove = route(
  {
    method: "DELETE",
    path: `${PATH}/:subject`,
    summary: "Take back all that is granted to a role or a key",
    description: "Within two seconds. Doing it again changes nothing.",
    right: "manage_grants",
    audit: "grant.changed",
    parameters: GrantParameters,
    headers: IF_MATCH,
    answers: { 204: { description: "Nothing is granted to it.", content: "none" } },
    problems: ["not_found", "precondition_failed"],
  },
  Effect.fn("removeGrant")(function* ({
    credential,
    parameters: { subject },
    request,
  }: Call<GrantParameters>) {
    const { tenant, id } = yield* ofTenant(credential)
    yield* roleOf(tenant, subject)
    const { before } = yield* setGrant(tenant, { subject, rights: [], by: id }, (held) =>
      checkIfMatch(request, held),
    )
    return { status: 204, body: null, record: { subject, before: before.grants[subject] ?? [] } }
  }),
)

export const grantRoutes: ReadonlyArray<Route> = [list, read, put, remove]
