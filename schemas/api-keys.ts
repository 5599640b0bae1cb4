import { Schema } from "effect"
import { PersonId, Tenant, text, Time } from "./envelope.ts"
import { Cursor, wholeNumber } from "./report-range.ts"
import { ROLES } from "./rights.ts"

const role = Schema.Literals(ROLES).annotate({ description: "What the key may do, and for whom." })

/** Their keys show the numbers of somebody's teams, or of somebody. */
export const NEEDS_USER: ReadonlySet<string> = new Set(["manager", "member"])

export const NewApiKey = Schema.Struct({
  role,
  user: Schema.optionalKey(
    PersonId.annotate({
      description:
        "The user of the directory whom the key stands for; required for a manager and a member, whose scope follows from it.",
    }),
  ),
  name: Schema.optionalKey(text(1, 100).annotate({ description: "What people call the key." })),
  expires_at: Schema.optionalKey(
    Time.annotate({ description: "From then on the key opens nothing; never when absent." }),
  ),
  tenant: Schema.optionalKey(Tenant.annotate({ description: "For the operator alone, who must name one." })),
})
  .check(
    Schema.makeFilter(
      (key) =>
        NEEDS_USER.has(key.role) && key.user === undefined
          ? { path: ["user"], issue: `A ${key.role}'s key needs the user whom it stands for` }
          : undefined,
      {
        toJsonSchema: () => ({
          if: { properties: { role: { enum: [...NEEDS_USER] } } },
          // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
          then: { required: ["user"] },
        }),
      },
    ),
  )
  .annotate({ identifier: "NewApiKey" })
export type NewApiKey = typeof NewApiKey.Type

const ofOperator = {
  tenant: Schema.optionalKey(Tenant.annotate({ description: "For the operator alone, who must name one." })),
} as const

export const ApiKeysParameters = Schema.Struct({
  ...ofOperator,
  limit: Schema.optionalKey(wholeNumber(1, 500).annotate({ description: "100 when absent." })),
  cursor: Schema.optionalKey(Cursor),
})
export type ApiKeysParameters = typeof ApiKeysParameters.Type

export const ApiKeyParameters = Schema.Struct({
  ...ofOperator,
  id: text(1, 100).annotate({ description: "The id of the key, which is not the key itself." }),
})
export type ApiKeyParameters = typeof ApiKeyParameters.Type

const Text = Schema.NullOr(Schema.String)
const Instant = (description: string) =>
  Schema.NullOr(Schema.String.annotate({ format: "date-time" })).annotate({ description })

export const ApiKey = Schema.Struct({
  id: Schema.String.annotate({ description: "Names the key without being it." }),
  tenant: Schema.String,
  role,
  user: Text,
  name: Text,
  state: Schema.Literals(["active", "expired", "revoked"]),
  created_at: Schema.String.annotate({ format: "date-time" }),
  created_by: Text.annotate({
    description: "The id of the credential that asked for it, or `command_line`.",
  }),
  expires_at: Instant("null: never."),
  last_used_at: Instant("To the minute; null when never."),
  revoked_at: Instant("null: it was not revoked."),
  revoked_by: Text,
}).annotate({ identifier: "ApiKey" })
export type ApiKey = typeof ApiKey.Type

export const OneApiKey = Schema.Struct({ data: ApiKey })

export const IssuedApiKey = Schema.Struct({
  data: ApiKey,
  key: Schema.String.annotate({ description: "The key itself. It is shown this once and stored nowhere." }),
}).annotate({ identifier: "IssuedApiKey" })

export const ApiKeys = Schema.Struct({ data: Schema.Array(ApiKey), next_cursor: Text }).annotate({
  identifier: "ApiKeys",
})
