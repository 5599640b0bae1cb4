import type { SignalReason, SignalType } from "#schemas/report-signals.ts"
import type { SignalThresholds } from "#schemas/tenant-settings.ts"
import { localTime } from "./local-days.ts"
import { DAY } from "./signal-asked.ts"
import type { Engaged } from "./signal-engaged.ts"
import type { OffPlatform } from "./signal-off-platform.ts"
import type { Pair } from "./signal-pairs.ts"

/** Such events are in the log and in no signal; a sentence about what never happened must say so. */
const ASIDE = "not counting what programs did, or people in another's name"

const CAUTION = "This is a sign to check, not proof."

/** What a signal says, without a name: who it is about stands beside it. */
export const TEXTS: Readonly<Record<SignalType, string>> = {
  engaged_not_scheduling: `The client is interested in candidates for this job, and no interview is under way. ${CAUTION}`,
  off_platform_risk: `The client has what it takes to reach this candidate, and nothing came of it here: perhaps they went on without the platform. ${CAUTION}`,
}

const counted = (n: number, one: string, several: string): string => `${n} ${n === 1 ? one : several}`
const days = (n: number): string => counted(n, "day", "days")

/** A local minute, as people write it. */
const minute = (at: string, zone: string): string => {
  const local = localTime(Date.parse(at), zone)
  return `${local.slice(0, 10)} ${local.slice(11, 16)}`
}

const fact = (code: SignalReason["code"], text: string): SignalReason => ({
  code,
  text,
  value: null,
  threshold: null,
})

/** Each count that is a sign, and what did not happen. */
export const engagedReasons = (
  { profiles, cvs, first_at, job_status }: Engaged,
  { engaged_days, engaged_profiles, engaged_cvs }: SignalThresholds,
  zone: string,
): ReadonlyArray<SignalReason> => [
  ...(profiles < engaged_profiles
    ? []
    : [
        {
          code: "profiles_viewed" as const,
          text: `The client's users viewed ${counted(profiles, "profile", "different profiles")} for this job in the last ${days(engaged_days)}; from ${engaged_profiles} on it is a sign.`,
          value: profiles,
          threshold: engaged_profiles,
        },
      ]),
  ...(cvs < engaged_cvs
    ? []
    : [
        {
          code: "cvs_downloaded" as const,
          text: `The client's users downloaded the CVs of ${counted(cvs, "candidate", "different candidates")} for this job in the last ${days(engaged_days)}; from ${engaged_cvs} on it is a sign.`,
          value: cvs,
          threshold: engaged_cvs,
        },
      ]),
  fact(
    "no_interview",
    `Nobody requested or scheduled an interview for this client and job since the first of them, ${minute(first_at, zone)}, ${ASIDE}.`,
  ),
  fact(
    "job_not_closed",
    job_status === null
      ? "The directory does not know the job, so nothing says that it is closed."
      : "The job is open.",
  ),
]

/** What the client has, what did not happen, and why it matters still. */
export const offPlatformReasons = (
  { reveals, downloads, first_at, any_at, contract_months }: Pair & Pick<OffPlatform, "contract_months">,
  { quiet_days }: SignalThresholds,
  zone: string,
  now: number,
): ReadonlyArray<SignalReason> => {
  const quiet = Math.floor((now - Date.parse(any_at)) / DAY)
  return [
    ...(reveals === 0
      ? []
      : [
          {
            code: "contact_revealed" as const,
            text: `The client's users revealed the candidate's contact details ${counted(reveals, "time", "times")}.`,
            value: reveals,
            threshold: 1,
          },
        ]),
    ...(downloads === 0
      ? []
      : [
          {
            code: "cv_downloaded" as const,
            text: `The client's users downloaded the candidate's CV ${counted(downloads, "time", "times")}.`,
            value: downloads,
            threshold: 1,
          },
        ]),
    {
      code: "quiet",
      text: `Nothing happened for this client and candidate since ${minute(any_at, zone)}, ${days(quiet)} ago, ${ASIDE}; from ${quiet_days} on it is a sign.`,
      value: quiet,
      threshold: quiet_days,
    },
    fact(
      "no_interview_offer_or_placement",
      `There was never an interview, an offer or a placement of this candidate with this client, ${ASIDE}.`,
    ),
    {
      code: "within_contract",
      text: `The first of them was on ${minute(first_at, zone)}, within the ${counted(contract_months, "month", "months")} for which the contract binds the client.`,
      value: contract_months,
      threshold: null,
    },
  ]
}
