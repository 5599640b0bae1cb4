import { Clock, Effect, Schema } from "effect"
import { DEFAULT_SETTINGS, TenantSettings } from "#schemas/tenant-settings.ts"
import { changeSettings, readSettings, type StoredSettings } from "../auth/settings.ts"
import { ok } from "../http/answer.ts"
import { type Call, ofTenant, type Route, route } from "../http/endpoint.ts"
import { checkIfMatch, entityTag, IF_MATCH, TAG } from "../http/precondition.ts"

const PATH = "/v1/settings"

const Text = Schema.NullOr(Schema.String)
const Answer = Schema.Struct({
  data: TenantSettings,
  changed_at: Text.annotate({ format: "date-time", description: "null: they were never changed." }),
  changed_by: Text.annotate({ description: "The id of the credential that changed them last." }),
})

const answer = ({ changed_at, changed_by, ...data }: StoredSettings) => ({
  ...ok({ data, changed_at: changed_at ?? null, changed_by: changed_by ?? null }),
  headers: { ETag: entityTag(data) },
})

const read = route(
  {
    method: "GET",
    path: PATH,
    summary: "The tenant's settings",
    right: "manage_settings",
    parameters: Schema.Struct({}),
    answers: { 200: { description: "With their ETag.", content: Answer, headers: TAG } },
  },
  Effect.fn("readSettings")(function* ({ credential }: Call<object>) {
    const { tenant } = yield* ofTenant(credential)
    return answer(yield* readSettings(tenant))
  }),
)

const put = route(
  {
    method: "PUT",
    path: PATH,
    summary: "Change the tenant's settings",
    description: "All of them at once: what is left out gets its default. They hold within two seconds.",
    right: "manage_settings",
    audit: "settings.changed",
    parameters: Schema.Struct({}),
    headers: IF_MATCH,
    json: TenantSettings,
    example: DEFAULT_SETTINGS,
    answers: { 200: { description: "They are changed.", content: Answer, headers: TAG } },
    problems: ["precondition_failed"],
  },
  Effect.fn("putSettings")(function* ({ body, credential, request }: Call<object, TenantSettings>) {
    const { tenant, id } = yield* ofTenant(credential)
    const changed_at = new Date(yield* Clock.currentTimeMillis).toISOString()
    const { before, after } = yield* changeSettings(tenant, { ...body, changed_at, changed_by: id }, (held) =>
      checkIfMatch(request, held),
    )
    return { ...answer(after), record: { before } }
  }),
)

export const settingsRoutes: ReadonlyArray<Route> = [read, put]
