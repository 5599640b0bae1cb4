import { Effect, Schema } from "effect"

const flag = (byDefault: boolean, description: string) =>
  Schema.Boolean.annotate({ description }).pipe(Schema.withDecodingDefaultKey(Effect.succeed(byDefault)))

/** What a tenant's super admin may switch: reports watch staff, and laws and works councils have a say in it. */
export const TenantSettings = Schema.Struct({
  hide_names: flag(false, "No answer holds a person's name or e-mail address; ids stay."),
  ranking: flag(true, "People can be ranked against each other."),
}).annotate({ identifier: "TenantSettings" })
export type TenantSettings = typeof TenantSettings.Type

export const DEFAULT_SETTINGS: TenantSettings = Schema.decodeUnknownSync(TenantSettings)({})
