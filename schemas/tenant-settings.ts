import { Effect, Schema } from "effect"

const flag = (byDefault: boolean, description: string) =>
  Schema.Boolean.annotate({ description }).pipe(Schema.withDecodingDefaultKey(Effect.succeed(byDefault)))

const whole = (byDefault: number, minimum: number, maximum: number, description: string) =>
  Schema.Int.check(Schema.isBetween({ minimum, maximum }))
    .annotate({ description: `${description} ${byDefault} when absent.` })
    .pipe(Schema.withDecodingDefaultKey(Effect.succeed(byDefault)))

/** From when on something is a sign. A day is 24 hours back from the minute of asking. */
const SignalThresholds = Schema.Struct({
  engaged_days: whole(14, 1, 90, "engaged_not_scheduling looks back so many days."),
  engaged_profiles: whole(5, 1, 1000, "So many different profiles viewed are a sign."),
  engaged_cvs: whole(2, 1, 1000, "So many different candidates' CVs downloaded are a sign."),
  quiet_days: whole(14, 1, 365, "off_platform_risk waits so many days in which nothing happens."),
}).annotate({ identifier: "SignalThresholds" })
export type SignalThresholds = typeof SignalThresholds.Type

/** What a tenant's super admin may switch: reports watch staff, and laws and works councils have a say in it. */
export const TenantSettings = Schema.Struct({
  hide_names: flag(false, "No answer holds a person's name or e-mail address; ids stay."),
  ranking: flag(
    true,
    "Off: no leaderboard, and no list of members in order of a metric or of active days. Teams can still be sorted, and the licences report still lists who did nothing.",
  ),
  signals: SignalThresholds.pipe(Schema.withDecodingDefaultKey(Effect.succeed({}))),
}).annotate({ identifier: "TenantSettings" })
export type TenantSettings = typeof TenantSettings.Type

export const DEFAULT_SETTINGS: TenantSettings = Schema.decodeUnknownSync(TenantSettings)({})
