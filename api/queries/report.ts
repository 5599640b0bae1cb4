import type { ClickHouse, ClickHouseError } from "#clickhouse"
import { Effect } from "effect"
import type { Nats, NatsError } from "#nats/connection.ts"
import type { Pin } from "#schemas/export.ts"
import type { TenantSettings } from "#schemas/tenant-settings.ts"
import type { Credential } from "../auth/credential.ts"
import type { Scope } from "../auth/scope.ts"
import { ofTenant } from "../http/endpoint.ts"
import { type Refused, refuse } from "../http/failure.ts"
import { readMoment } from "./moment.ts"
import { readStoredPin } from "./pin.ts"
import { type Range, rangeOf } from "./range.ts"
import { readSettled } from "./settled.ts"
import { readStanding, type Standing } from "./standing.ts"
import type { StoreVersion } from "./store-version.ts"

/** What everything that is read begins with. */
export interface Opened {
  readonly tenant: string
  /** When it was asked for. */
  readonly now: number
  readonly standing: Standing
  /** Whose activity it may show. */
  readonly scope: Scope
  readonly settings: TenantSettings
  /** Everything received up to here is in what is read from now on. */
  readonly dataThrough: number
  /** What the store was made of when the report began. */
  readonly version: StoreVersion
  /** Where the stream of actions ends now. */
  readonly pin: Effect.Effect<Pin, ClickHouseError, ClickHouse>
}

/** What every report over a range begins with. */
export interface Report extends Omit<Opened, "now"> {
  readonly range: Range
}

export interface Asked {
  readonly from: string
  readonly to: string
  readonly tz?: string
  readonly user_email?: ReadonlyArray<string>
}

const namesHidden = (parameter: string): Refused =>
  refuse("names_hidden", `The tenant hides names, so ${parameter} cannot be used like this.`, {
    hint: "Use ids.",
  })

/** Where names are hidden nothing may find a person by one. */
const refuseEmails = ({ user_email = [] }: Asked, { hide_names }: TenantSettings) =>
  hide_names && user_email.length > 0 ? Effect.fail(namesHidden("user_email")) : Effect.void

/** Nor may anything put people in the order of their names. */
export const refuseOrderByName = (
  { settings }: Pick<Report, "settings">,
  sort = "",
): Effect.Effect<void, Refused> =>
  settings.hide_names && /^-?(?:name|email)$/u.test(sort) ? Effect.fail(namesHidden("sort")) : Effect.void

/** Asks how far the streams are applied before anything is read, so that an answer holds at least as much as it says. */
export const openNow = Effect.fn("openNow")(function* (
  credential: Credential,
): Effect.fn.Return<Opened, Refused | ClickHouseError | NatsError, ClickHouse | Nats> {
  const { tenant, scope, settings } = yield* ofTenant(credential)
  const { now, dataThrough, othersThrough: at, stream, actions, ledger, version } = yield* readMoment(tenant)
  const standing = yield* readStanding(tenant, version)
  return {
    tenant,
    now,
    standing,
    scope,
    settings,
    dataThrough,
    version,
    pin:
      ledger === undefined
        ? readStoredPin(tenant, stream, at)
        : // A stream that was just rebuilt ends before what the store holds of its former life.
          Effect.succeed({
            stream,
            at,
            generation: ledger.generation,
            sequence: Math.max(ledger.committed, actions?.lastSequence ?? 0),
          }),
  }
})

/** Opens a report over a range of days. */
export const openReport = Effect.fn("openReport")(function* ({
  credential,
  parameters,
}: {
  readonly credential: Credential
  readonly parameters: Asked
}): Effect.fn.Return<Report, Refused | ClickHouseError | NatsError, ClickHouse | Nats> {
  const { settings } = yield* ofTenant(credential)
  yield* refuseEmails(parameters, settings)
  const { from, to, tz } = parameters
  const { now, ...opened } = yield* openNow(credential)
  const settled = yield* readSettled(opened.tenant, opened.version, now)
  return { ...opened, range: rangeOf(from, to, tz ?? opened.standing.zone, now, settled) }
})

/** The report's word about itself. */
export const metaOf = (report: Report, parameters: object, requestId: string) => {
  const { cursor: _, ...filters } = parameters as Record<string, unknown>
  return {
    from: report.range.from,
    to: report.range.to,
    time_zone: report.range.zone,
    data_through: new Date(report.dataThrough).toISOString(),
    filters,
    request_id: requestId,
  }
}
