import { Effect, Schema } from "effect"
import type { Nats, NatsError } from "#nats/connection.ts"
import { BUCKETS } from "#schemas/names.ts"
import { DEFAULT_SETTINGS, TenantSettings } from "#schemas/tenant-settings.ts"
import { changeRecord } from "./bucket.ts"
import { recordReader } from "./tenant-record.ts"

/** With who changed them last: the id of a credential. */
const StoredSettings = Schema.Struct({
  ...TenantSettings.fields,
  changed_at: Schema.optionalKey(Schema.String),
  changed_by: Schema.optionalKey(Schema.String),
})
export type StoredSettings = typeof StoredSettings.Type

const plain = (stored: StoredSettings): TenantSettings => {
  const { changed_at: _, changed_by: __, ...settings } = stored
  return settings
}

/** Settings that nobody can read may have hidden names and switched ranking off. */
const CLOSED_SETTINGS: TenantSettings = { ...DEFAULT_SETTINGS, hide_names: true, ranking: false }

/** For every call: remembers a tenant's record for a moment. */
export const settingsReader = () =>
  recordReader(BUCKETS.tenantSettings, TenantSettings, DEFAULT_SETTINGS, CLOSED_SETTINGS)

/** As they are now. */
export const readSettings = Effect.fn("readTenantSettings")(function* (
  tenant: string,
): Effect.fn.Return<StoredSettings, NatsError, Nats> {
  const read = recordReader<StoredSettings>(
    BUCKETS.tenantSettings,
    StoredSettings,
    DEFAULT_SETTINGS,
    CLOSED_SETTINGS,
  )
  return yield* read(tenant)
})

/** Replaces them; `check` sees what they are at the moment of the change, and may refuse. */
export const changeSettings = Effect.fn("changeSettings")(function* <E>(
  tenant: string,
  settings: StoredSettings,
  check: (held: TenantSettings) => Effect.Effect<void, E>,
): Effect.fn.Return<
  { readonly before: TenantSettings; readonly after: StoredSettings },
  E | NatsError,
  Nats
> {
  const { before = DEFAULT_SETTINGS, after } = yield* changeRecord(
    BUCKETS.tenantSettings,
    StoredSettings,
    tenant,
    (now = DEFAULT_SETTINGS) => Effect.as(check(plain(now)), settings),
  )
  return { before: plain(before), after }
})
