// The signals of small random worlds against a count by their rules that shares no code with the reports.
import { expect, it } from "vitest"
import type { Signal, SignalType } from "#schemas/report-signals.ts"
import { DEFAULT_SETTINGS } from "#schemas/tenant-settings.ts"
import { testApp } from "../test-app.ts"
import { type ClientEvent, type ClientWorld, makeClientWorld, signalsOf } from "../test-clients.ts"
import { randomOf } from "../test-random.ts"

const { call, keyFor } = testApp()
const DAY = 86_400_000
const HOUR = 3_600_000
const thresholds = DEFAULT_SETTINGS.signals

/** The same day and time so many months later; a day that the month lacks is its last. */
const monthsLater = (at: number, months: number): number => {
  const date = new Date(at)
  const day = date.getUTCDate()
  date.setUTCDate(1)
  date.setUTCMonth(date.getUTCMonth() + months)
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate()
  date.setUTCDate(Math.min(day, last))
  return date.getTime()
}

interface Expected {
  readonly type: SignalType
  readonly client_id: string
  readonly subject: string | null
  readonly codes: ReadonlyArray<string>
  readonly first: number
  readonly last: number
  readonly evidence: ReadonlyArray<string>
  readonly total: number
}

const times = (list: ReadonlyArray<{ readonly at: number }>) => list.map(({ at }) => at)
const keysOf = <A>(list: ReadonlyArray<A>, key: (item: A) => string) =>
  [...Map.groupBy(list, key)].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, group]) => group)

/** Both signals by their rules, event by event. */
const counted = ({ events: all, now, closed, months }: ClientWorld): ReadonlyArray<Expected> => {
  const counts = all.filter(({ automated, impersonator_id }) => !automated && impersonator_id === "")
  const expected = (
    type: SignalType,
    subject: string,
    codes: ReadonlyArray<string>,
    behind: typeof counts,
  ): Expected => {
    const oldest = behind.toSorted((one, other) => one.at - other.at || (one.id < other.id ? -1 : 1))
    return {
      type,
      client_id: behind[0]?.client_id ?? "",
      subject,
      codes,
      first: Math.min(...times(behind)),
      last: Math.max(...times(behind)),
      evidence: oldest.slice(0, 20).map(({ id }) => id),
      total: behind.length,
    }
  }
  const isByClient = ({ actor_type }: ClientEvent) => actor_type === "client"
  const engaged = keysOf(
    counts.filter(({ client_id, job_id }) => client_id !== "" && job_id !== ""),
    ({ client_id, job_id }) => `${client_id} ${job_id}`,
  ).flatMap((group) => {
    const [{ job_id = "" } = {}] = group
    const behind = group.filter(
      (one) =>
        isByClient(one) &&
        ["candidate_profile.viewed", "cv.downloaded"].includes(one.type) &&
        one.at >= now - thresholds.engaged_days * DAY,
    )
    const candidates = (type: string) =>
      new Set(behind.filter((one) => one.type === type).map(({ candidate_id }) => candidate_id)).size
    const isViewed = candidates("candidate_profile.viewed") >= thresholds.engaged_profiles
    const isDownloaded = candidates("cv.downloaded") >= thresholds.engaged_cvs
    const first = Math.min(...times(behind))
    const isScheduled = group.some(
      ({ type, at }) => ["interview.requested", "interview.scheduled"].includes(type) && at >= first,
    )
    if (!(isViewed || isDownloaded) || isScheduled || closed.has(job_id)) return []
    const codes = [
      ...(isViewed ? ["profiles_viewed"] : []),
      ...(isDownloaded ? ["cvs_downloaded"] : []),
      "no_interview",
      "job_not_closed",
    ]
    return [expected("engaged_not_scheduling", job_id, codes, behind)]
  })
  const offPlatform = keysOf(
    counts.filter(({ client_id, candidate_id }) => client_id !== "" && candidate_id !== ""),
    ({ client_id, candidate_id }) => `${client_id} ${candidate_id}`,
  ).flatMap((group) => {
    const [{ candidate_id = "" } = {}] = group
    const of = (type: string) => group.filter((one) => one.type === type && isByClient(one))
    const behind = [...of("candidate_contact.revealed"), ...of("cv.downloaded")]
    const isQuiet = Math.max(...times(group)) <= now - thresholds.quiet_days * DAY
    const isDone = group.some(({ type }) => /^(?:interview|offer|placement)\./u.test(type))
    if (behind.length === 0 || !isQuiet || isDone) return []
    if (monthsLater(Math.min(...times(behind)), months) <= now) return []
    const codes = [
      ...(of("candidate_contact.revealed").length > 0 ? ["contact_revealed"] : []),
      ...(of("cv.downloaded").length > 0 ? ["cv_downloaded"] : []),
      "quiet",
      "no_interview_offer_or_placement",
      "within_contract",
    ]
    return [expected("off_platform_risk", candidate_id, codes, behind)]
  })
  return [...engaged, ...offPlatform]
}

const shown = (signals: ReadonlyArray<Signal>): ReadonlyArray<Expected> =>
  signals.map((signal) => ({
    type: signal.type,
    client_id: signal.client_id,
    subject: signal.job_id ?? signal.candidate_id,
    codes: signal.reasons.map(({ code }) => code),
    first: Date.parse(signal.first_at),
    last: Date.parse(signal.last_at),
    evidence: signal.evidence.map(({ id }) => id),
    total: signal.evidence_total,
  }))

const TYPES = [
  "candidate_profile.viewed",
  "candidate_profile.viewed",
  "candidate_profile.viewed",
  "cv.downloaded",
  "cv.downloaded",
  "candidate_contact.revealed",
  "note.logged",
] as const
const RARE = [
  "interview.requested",
  "interview.scheduled",
  "interview.cancelled",
  "offer.extended",
  "placement.created",
] as const

/** A small world near the edges of the rules: no time is so close to one that the test's own seconds would matter. */
const randomEvents = (seed: number): ReadonlyArray<ClientEvent> => {
  const { int, chance, pick } = randomOf(seed)
  const span = pick([20 * DAY, 60 * DAY, 500 * DAY])
  const jobs = pick([
    ["j_1", "j_3"],
    ["j_1", "j_2", "j_3", "j_4", ""],
  ] as const)
  return Array.from({ length: 30 + int(150) }, () => {
    const ago = chance(0.2) ? 14 * DAY + pick([-1, 1]) * (60_000 + int(HOUR)) : 60_000 + int(span)
    return {
      type: chance(0.06) ? pick(RARE) : pick(TYPES),
      ago,
      actor_type: pick(["client", "client", "client", "member"]),
      automated: chance(0.05),
      impersonator_id: chance(0.05) ? "u_9" : "",
      quantity: pick([1, 1, 7]),
      client_id: pick(["c_1", "c_2", "c_2", "c_10", ""]),
      job_id: pick(jobs),
      candidate_id: pick(["", ...Array.from({ length: 12 }, (_, n) => `k_${n}`)]),
    }
  })
}

const seen = new Set<string>()

it.each(Array.from({ length: 12 }, (_, seed) => seed))(
  "the signals of random world %i are those that the rules give",
  async (seed) => {
    const months = [12, 1, 24][seed % 3] ?? 12
    const world = await makeClientWorld(randomEvents(seed), { closed: ["j_3"], months })
    const want = counted(world)
    expect(shown(await signalsOf(call, await keyFor(world.tenant)))).toEqual(want)
    for (const { type, codes } of want) for (const code of codes) seen.add(`${type} ${code}`)
  },
)

it("the worlds had every reason", () => {
  expect(seen.size).toBe(9)
})
