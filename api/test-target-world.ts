// Random worlds of people, actions and targets for tests; test-target-count.ts says what is right of them.
import type { Random } from "./test-random.ts"
import {
  type Action,
  type License,
  putActions,
  putLicenses,
  putTargets,
  putTeams,
  putTenant,
  putUsers,
  type TargetVersion,
} from "./test-rows.ts"

const DAY = 86_400_000

const ZONES = ["UTC", "Asia/Kathmandu", "America/New_York", "Australia/Lord_Howe", "Pacific/Auckland"]
export const TYPES = {
  "note.logged": "notes_logged",
  "phone_call.logged": "phone_calls_logged",
  "user.logged_in": "logins",
} as const
export const METRICS = [...Object.values(TYPES), "active_days"]
export const PERIODS = ["week", "month"] as const
export const USERS = ["u_1", "u_2", "u_3", "u_4", "u_5", "u_6"]
export const TEAMS = ["t_1", "t_2", "t_3"]

const calendars = new Map(
  ZONES.map((zone) => [zone, new Intl.DateTimeFormat("en-CA", { timeZone: zone, dateStyle: "short" })]),
)
const days = new Map<string, string>()
export const dayIn = (instant: number, zone: string): string => {
  const key = `${instant} ${zone}`
  const day = days.get(key) ?? calendars.get(zone)?.format(instant) ?? ""
  days.set(key, day)
  return day
}
export const later = (day: string, days: number): string =>
  new Date(Date.parse(day) + days * DAY).toISOString().slice(0, 10)

export interface World {
  readonly zone: string
  readonly teamsOf: Readonly<Record<string, ReadonlyArray<string>>>
  readonly clients: ReadonlyArray<string>
  readonly actions: ReadonlyArray<Action>
  readonly licenses: ReadonlyArray<License>
  readonly targets: ReadonlyArray<Required<TargetVersion>>
}

export const makeWorld = (random: Random, now: number): World => {
  const instant = (back: number): string => new Date(now - random.int(back * DAY)).toISOString()
  const target = (index: number): Required<TargetVersion> => {
    const scope = random.pick(["user", "team", "team_members", "everyone"] as const)
    return {
      scope,
      scope_id: scope === "everyone" ? "" : random.pick(scope === "user" ? USERS.slice(0, 3) : TEAMS),
      metric: random.pick(METRICS),
      period: random.pick(PERIODS),
      // Few days and instants, so that some are said twice and some tie.
      holds_from: dayIn(now - (random.int(8) * 13 - 15) * DAY, "UTC"),
      value: random.chance(0.2) ? null : random.pick([0, 1, 3, 7, 10, 20]),
      set_at: new Date(Date.UTC(2026, 0, 1 + random.int(4))).toISOString(),
      event_id: `e${index}`,
      set_by: "",
    }
  }
  return {
    zone: random.pick(ZONES),
    teamsOf: Object.fromEntries(USERS.map((id) => [id, random.some(TEAMS)])),
    clients: random.chance(0.5) ? [random.pick(USERS)] : [],
    actions: Array.from({ length: 200 }, (_, index) => ({
      id: `a-${index}`,
      type: random.pick(Object.keys(TYPES)),
      time: instant(90),
      actor_id: random.pick(USERS),
      quantity: 1 + random.int(3),
      automated: random.chance(0.1),
    })),
    licenses: random.some(USERS).map((user_id) => ({ user_id, verb: "assigned", time: instant(60) })),
    targets: Array.from({ length: 70 }, (_, index) => target(index)),
  }
}

export const put = async (tenant: string, world: World): Promise<void> => {
  await putTenant(tenant, world.zone)
  await putTeams(tenant, Object.fromEntries(TEAMS.map((id) => [id, { name: `Team ${id}` }])))
  await putUsers(
    tenant,
    Object.fromEntries(
      USERS.map((id) => [
        id,
        { team_ids: world.teamsOf[id], kind: world.clients.includes(id) ? "client" : "member" },
      ]),
    ),
  )
  await putLicenses(tenant, world.licenses)
  // Out of order, late and twice: a replay does no harm.
  await putActions(tenant, world.zone, world.actions.slice(100))
  await putActions(tenant, world.zone, world.actions.slice(0, 100))
  await putTargets(tenant, world.targets.slice(10))
  await putTargets(tenant, world.targets.toReversed())
}

export interface Question {
  readonly subject: "user" | "team"
  readonly from: string
  readonly to: string
  readonly zone: string
  readonly user_id: ReadonlyArray<string>
  readonly team_id: ReadonlyArray<string>
  readonly metric: ReadonlyArray<string>
  readonly period: string | undefined
}

export const queryOf = (question: Question, world: World): string => {
  const lists = (["user_id", "team_id", "metric"] as const).flatMap((name) =>
    question[name].map((value) => `${name}=${value}`),
  )
  return [
    `subject=${question.subject}&from=${question.from}&to=${question.to}`,
    ...(question.zone === world.zone ? [] : [`tz=${question.zone}`]),
    ...(question.period === undefined ? [] : [`period=${question.period}`]),
    ...lists,
  ].join("&")
}

export const questionOf = (random: Random, world: World, now: number): Question => {
  const subject = random.pick(["user", "user", "team"] as const)
  const from = dayIn(now - random.int(70) * DAY, "UTC")
  return {
    subject,
    from,
    to: later(from, random.int(60)),
    zone: random.chance(0.4) ? random.pick(ZONES) : world.zone,
    user_id: subject === "team" || random.chance(0.7) ? [] : random.some(USERS),
    team_id: random.chance(0.7) ? [] : random.some(TEAMS),
    metric: random.chance(0.7) ? [] : random.some(METRICS),
    period: random.chance(0.7) ? undefined : random.pick(PERIODS),
  }
}
