import { Clock, Effect, Schema } from "effect"
import {
  type ApiKey,
  ApiKeyParameters,
  ApiKeys,
  ApiKeysParameters,
  IssuedApiKey,
  NEEDS_USER,
  NewApiKey,
  OneApiKey,
} from "#schemas/api-keys.ts"
import { isExpired } from "../auth/credential.ts"
import { forgetKey } from "../auth/grants.ts"
import { keyById, listKeys, revokeKey } from "../auth/key-list.ts"
import { lastUse } from "../auth/key-uses.ts"
import { type FoundKey, issueKey } from "../auth/keys.ts"
import { ok } from "../http/answer.ts"
import { type Call, type Route, route } from "../http/endpoint.ts"
import { type Refused, refuse } from "../http/failure.ts"
import { tenantConcerned } from "../auth/tenant-concerned.ts"
import { cursors } from "../queries/cursor.ts"
import { isMember } from "../queries/member.ts"

const PATH = "/v1/api-keys"

const viewOf = ({ id, record }: FoundKey, now: number, usedAt: string | undefined): ApiKey => ({
  id,
  tenant: record.tenant,
  role: record.role,
  user: record.user ?? null,
  name: record.name ?? null,
  state: record.revoked_at !== undefined ? "revoked" : isExpired(record, now) ? "expired" : "active",
  created_at: record.created_at,
  created_by: record.created_by ?? null,
  expires_at: record.expires_at ?? null,
  last_used_at: usedAt ?? null,
  revoked_at: record.revoked_at ?? null,
  revoked_by: record.revoked_by ?? null,
})

const view = Effect.fn("view")(function* (found: FoundKey) {
  const usedAt = yield* lastUse(found.record.tenant, found.id)
  return viewOf(found, yield* Clock.currentTimeMillis, usedAt)
})

const unknown = (id: string): Refused =>
  refuse("not_found", `There is no key ${JSON.stringify(id)}.`, {
    hint: `GET ${PATH} lists those that there are.`,
  })

const invalid = (parameter: string, detail: string): Refused =>
  refuse("invalid_body", `${parameter}: ${detail}.`, { errors: [{ parameter, detail }] })

const create = route(
  {
    method: "POST",
    path: PATH,
    summary: "Make a key",
    description: "The key itself is in this answer alone. It works at once.",
    right: "manage_keys",
    audit: "key.created",
    parameters: Schema.Struct({}),
    json: NewApiKey,
    example: { role: "producer", name: "ATS" },
    answers: {
      201: {
        description: "The key was made.",
        content: IssuedApiKey,
        headers: { Location: "The address of the key's record." },
      },
    },
    problems: ["invalid_parameter"],
  },
  Effect.fn("createKey")(function* ({ body, credential }: Call<object, NewApiKey>) {
    const { tenant: named, ...wanted } = body
    const tenant = yield* tenantConcerned(credential, named)
    const now = yield* Clock.currentTimeMillis
    const { role, user, expires_at } = wanted
    if (expires_at !== undefined && Date.parse(expires_at) <= now)
      return yield* invalid("expires_at", "Expected a time that lies ahead")
    // Of the others the user is what people call the key; these would see nothing, and nobody would know why.
    if (NEEDS_USER.has(role) && user !== undefined && !(yield* isMember(tenant, user)))
      return yield* invalid("user", "The directory knows no such member")
    const { secret, ...made } = yield* issueKey({ ...wanted, tenant, created_by: credential.id })
    return {
      status: 201,
      body: { data: viewOf(made, now, undefined), key: secret },
      headers: { Location: `${PATH}/${made.id}` },
      record: { tenant, subject: `key:${made.id}` },
    }
  }),
)

const keyCursors = cursors(Schema.Struct({ created_at: Schema.String, id: Schema.String }))

const list = route(
  {
    method: "GET",
    path: PATH,
    summary: "The tenant's keys, the oldest first",
    description: "Expired and revoked ones too.",
    right: "manage_keys",
    parameters: ApiKeysParameters,
    answers: { 200: { description: "A page of keys.", content: ApiKeys } },
    problems: ["invalid_cursor"],
  },
  Effect.fn("listKeys")(function* ({ parameters, credential }: Call<ApiKeysParameters>) {
    const tenant = yield* tenantConcerned(credential, parameters.tenant)
    const { limit = 100 } = parameters
    const place = yield* keyCursors.read(tenant, parameters)
    const after = place === undefined ? "" : place.created_at + place.id
    const rest = (yield* listKeys(tenant)).filter(({ id, record }) => record.created_at + id > after)
    const page = rest.slice(0, limit)
    const last = page.at(-1)
    const next =
      rest.length > limit && last !== undefined
        ? keyCursors.write(tenant, parameters, { created_at: last.record.created_at, id: last.id })
        : null
    const data = yield* Effect.forEach(page, view, { concurrency: 16 })
    return { ...ok({ data, next_cursor: next }), record: { tenant } }
  }),
)

const read = route(
  {
    method: "GET",
    path: `${PATH}/:id`,
    summary: "One key",
    right: "manage_keys",
    parameters: ApiKeyParameters,
    answers: { 200: { description: "The key, without its secret.", content: OneApiKey } },
    problems: ["not_found"],
  },
  Effect.fn("readKey")(function* ({ parameters: { id, tenant: named }, credential }: Call<ApiKeyParameters>) {
    const tenant = yield* tenantConcerned(credential, named)
    const found = yield* keyById(tenant, id)
    if (found === undefined) return yield* unknown(id)
    return { ...ok({ data: yield* view(found) }), record: { tenant } }
  }),
)

const revoke = route(
  {
    method: "DELETE",
    path: `${PATH}/:id`,
    summary: "Revoke a key",
    description:
      "It opens nothing any more within two seconds, and never again. It stays in the list. Doing it again changes nothing.",
    right: "manage_keys",
    audit: "key.revoked",
    parameters: ApiKeyParameters,
    answers: { 204: { description: "It is revoked.", content: "none" } },
    problems: ["not_found"],
  },
  Effect.fn("revokeKey")(function* ({
    parameters: { id, tenant: named },
    credential,
  }: Call<ApiKeyParameters>) {
    const tenant = yield* tenantConcerned(credential, named)
    if (!(yield* revokeKey(tenant, id, credential.id))) return yield* unknown(id)
    yield* forgetKey(tenant, id, credential.id)
    return { status: 204, body: null, record: { tenant, subject: `key:${id}` } }
  }),
)

export const keyRoutes: ReadonlyArray<Route> = [create, list, read, revoke]
