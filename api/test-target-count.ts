// The progress with targets in a world of test-target-world.ts, calculated day by day and in whole numbers.
import {
  METRICS,
  PERIODS,
  USERS,
  TEAMS,
  TYPES,
  dayIn,
  later,
  type Question,
  type World,
} from "./test-target-world.ts"

const startOf = (period: string, day: string): string => {
  let start = day
  while (period === "week" ? new Date(start).getUTCDay() !== 1 : !start.endsWith("-01"))
    start = later(start, -1)
  return start
}
const daysOfPeriod = (period: string, start: string): number => {
  let days = 1
  while (startOf(period, later(start, days)) === start) days++
  return days
}

const inForce = (
  { targets }: World,
  scope: string,
  id: string,
  metric: string,
  period: string,
  day: string,
): number | null => {
  const [last] = targets
    .filter(
      (one) =>
        one.scope === scope &&
        one.scope_id === id &&
        one.metric === metric &&
        one.period === period &&
        one.holds_from <= day,
    )
    .toSorted((a, b) => {
      const [one, other] = [a, b].map(({ holds_from, set_at, event_id }) =>
        [holds_from, set_at, event_id].join(" "),
      )
      return (one ?? "") < (other ?? "") ? 1 : -1
    })
  return last?.value ?? null
}

/** The own target, the greatest of the teams' or everyone's; nothing when there is none. */
const targetOf = (world: World, subject: string, id: string, metric: string, period: string, day: string) => {
  const of = (scope: string, whom: string) => {
    const value = inForce(world, scope, whom, metric, period, day)
    return value === null ? [] : [{ value, scope, scope_id: whom === "" ? null : whom }]
  }
  if (subject === "team") return of("team", id)[0]
  const teams = (world.teamsOf[id] ?? [])
    .flatMap((team) => of("team_members", team))
    .toSorted((one, other) => other.value - one.value)
  return of("user", id)[0] ?? teams[0] ?? of("everyone", "")[0]
}

const doneBy = (
  world: World,
  members: ReadonlyArray<string>,
  metric: string,
  zone: string,
  from: string,
  to: string,
) => {
  const done = world.actions.filter(({ actor_id, automated, time }) => {
    const day = dayIn(Date.parse(time), zone)
    return members.includes(actor_id) && automated !== true && day >= from && day <= to
  })
  if (metric === "active_days")
    return new Set(
      done
        .filter(({ type }) => type !== "user.logged_in")
        .map(({ actor_id, time }) => `${actor_id} ${dayIn(Date.parse(time), zone)}`),
    ).size
  return done
    .filter(({ type }) => TYPES[type as keyof typeof TYPES] === metric)
    .reduce((sum, { quantity }) => sum + Number(quantity), 0)
}

/** Hundredths of a sum of fractions, rounded in whole numbers. */
const hundredths = (fractions: ReadonlyArray<readonly [number, number]>): number => {
  // Every length that a week or month has.
  const common = 7n * 28n * 29n * 30n * 31n
  const sum = fractions.reduce((all, [above, below]) => all + (BigInt(above) * common) / BigInt(below), 0n)
  return Number((sum * 200n + common) / (2n * common)) / 100
}

export const progress = (
  fractions: ReadonlyArray<{
    readonly value: number
    readonly days: number
    readonly passed: number
    readonly length: number
  }>,
  actual: number,
) => {
  const target = hundredths(fractions.map(({ value, days, length }) => [value * days, length]))
  const due = hundredths(fractions.map(({ value, passed, length }) => [value * passed, length]))
  return {
    target,
    due,
    actual,
    difference: Math.round((actual - due) * 100) / 100,
    on_track: actual >= due,
    reached: actual >= target,
  }
}

/** Everything of one subject, metric and period, week by week or month by month. */
export const partsOf = (
  world: World,
  question: Question,
  id: string,
  metric: string,
  period: string,
  now: number,
) => {
  const { subject, from, to, zone } = question
  const days: Array<string> = []
  for (let day = from; day <= to; day = later(day, 1)) days.push(day)
  const members =
    subject === "user"
      ? [id]
      : USERS.filter((user) => world.teamsOf[user]?.includes(id) === true && !world.clients.includes(user))
  return [...Map.groupBy(days, (day) => startOf(period, day))].flatMap(([start, own]) => {
    const target = targetOf(world, subject, id, metric, period, start)
    if (target === undefined) return []
    const [first = "", last = ""] = [own[0], own.at(-1)]
    return {
      id,
      metric,
      period,
      period_start: start,
      from: first,
      to: last,
      ...target,
      days: own.length,
      passed: own.filter((day) => day < dayIn(now, zone)).length,
      length: daysOfPeriod(period, start),
      actual: doneBy(world, members, metric, zone, first, last),
    }
  })
}

/** Everything of one subject, added up by metric and period. */
export const totals = (world: World, question: Question, id: string, now: number) =>
  METRICS.toSorted().flatMap((metric) =>
    PERIODS.toSorted().flatMap((period) => {
      const parts = partsOf(world, question, id, metric, period, now)
      if (parts.length === 0) return []
      const actual = parts.reduce((sum, part) => sum + part.actual, 0)
      return { metric, period, ...progress(parts, actual) }
    }),
  )

export const subjectsOf = (world: World, { subject, from, to, zone, user_id, team_id }: Question) => {
  if (subject === "team") return TEAMS.filter((id) => team_id.length === 0 || team_id.includes(id))
  return USERS.filter((id) => {
    const acted = world.actions.some(
      ({ actor_id, automated, time }) =>
        actor_id === id &&
        automated !== true &&
        dayIn(Date.parse(time), zone) >= from &&
        dayIn(Date.parse(time), zone) <= to,
    )
    const licensed = world.licenses.some(
      (license) => license.user_id === id && dayIn(Date.parse(license.time), zone) <= to,
    )
    return (
      !world.clients.includes(id) &&
      (acted || licensed) &&
      (user_id.length === 0 || user_id.includes(id)) &&
      (team_id.length === 0 || team_id.some((team) => world.teamsOf[id]?.includes(team)))
    )
  })
}
