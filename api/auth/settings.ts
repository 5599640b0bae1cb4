import { BUCKETS } from "#schemas/names.ts"
import { DEFAULT_SETTINGS, TenantSettings } from "#schemas/tenant-settings.ts"
import { recordReader } from "./tenant-record.ts"

export const settingsReader = () => recordReader(BUCKETS.tenantSettings, TenantSettings, DEFAULT_SETTINGS)
