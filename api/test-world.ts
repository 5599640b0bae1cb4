// A small tenant made by chance, and what the members' reports must say of it, counted one by one: no query, no rollup
// and none of the code under test.
import { beforeAll } from "vitest"
import { CATALOGUE, METRICS } from "#schemas/catalogue.ts"
import { newTenant } from "./test-app.ts"
import { randomOf } from "./test-random.ts"
import { type License, putActions, putLicenses, putTeams, putTenant, putUsers } from "./test-rows.ts"

const DAY = 86_400_000
const QUARTER = 900_000
const METRIC_OF = new Map(CATALOGUE.actions.map(({ type, metric }) => [type, metric]))
const ACTIVATING = new Set(
  CATALOGUE.actions.filter(({ activates_member }) => activates_member).map(({ type }) => type),
)

export interface Span {
  /** Local days, inclusive. */
  readonly from: string
  readonly to: string
  readonly zone: string
  /** Actions after it do not count. */
  readonly through?: number
}

interface Event {
  readonly actor_id: string
  readonly type: string
  readonly at: number
  readonly quantity: number
}

const calendars = new Map<string, Intl.DateTimeFormat>()
export const dayIn = (zone: string, at: number): string => {
  const calendar =
    calendars.get(zone) ?? new Intl.DateTimeFormat("en-CA", { timeZone: zone, dateStyle: "short" })
  calendars.set(zone, calendar)
  return calendar.format(at)
}

/** The first instant of a local day, looked for quarter by quarter. */
export const firstInstant = (day: string, zone: string): number => {
  let at = Date.parse(`${day}T00:00:00Z`) - DAY - DAY / 4
  while (dayIn(zone, at) < day) at += QUARTER
  return at
}

export const plusDays = (day: string, days: number): string =>
  new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY).toISOString().slice(0, 10)

const makeWorld = (seed: number, zone: string, now: number) => {
  const { int: below } = randomOf(seed)
  const teamsOf = new Map<string, ReadonlyArray<string>>()
  const licenses: Array<License> = []
  const events: Array<Event> = []
  const noise: Array<Event & { readonly [field: string]: unknown }> = []
  const moment = (): number => {
    const at = now - below(90 * DAY)
    // Many lie on quarters, on days' first instants and beside them.
    const kind = below(4)
    if (kind === 0) return at - (at % QUARTER) - below(2)
    return kind === 1 ? Math.min(now, firstInstant(dayIn(zone, at), zone) - below(2)) : at
  }
  for (let n = 0; n < 24; n++) {
    const user_id = `u_${n}`
    teamsOf.set(user_id, ["t_1", "t_2", "t_3"].slice(0, below(4)).slice(below(2)))
    const verbs = ["assigned", "disabled", "enabled", "deleted"] as const
    const count = below(4)
    for (let index = 0; index < count; index++)
      licenses.push({
        user_id,
        verb: index === 0 ? "assigned" : (verbs[below(4)] ?? "assigned"),
        time: new Date(now - below(100 * DAY) + below(2 * DAY)).toISOString(),
        event_id: `l_${n}_${index}`,
      })
    const diligence = below(40)
    for (let index = 0; index < diligence; index++) {
      const type = CATALOGUE.actions[below(8) === 0 ? below(METRICS.length) : below(6)]?.type ?? ""
      const event = { actor_id: user_id, type, at: moment(), quantity: 1 + below(3) }
      const kind = below(12)
      if (kind === 0) noise.push({ ...event, automated: true })
      else if (kind === 1) noise.push({ ...event, impersonator_id: "u_0" })
      else if (kind === 2) noise.push({ ...event, actor_type: "client" })
      else events.push(event)
    }
  }
  const unknown = ["ghost_1", "ghost_2"].map((actor_id) => ({
    actor_id,
    type: "note.logged",
    at: moment(),
    quantity: 9,
  }))

  const put = async (tenant: string): Promise<void> => {
    await putTenant(tenant, zone)
    await putTeams(tenant, { t_1: { name: "One" }, t_2: { name: "Two" } })
    await putUsers(tenant, {
      ...Object.fromEntries([...teamsOf].map(([user_id, team_ids]) => [user_id, { team_ids }])),
      c_1: { kind: "client" },
    })
    await putLicenses(tenant, licenses)
    let id = 0
    await putActions(
      tenant,
      zone,
      [...events, ...noise, ...unknown].map(({ at, ...event }) => ({
        id: `e-${id++}`,
        time: new Date(at).toISOString(),
        ...event,
      })),
    )
  }

  const within =
    ({ from, to, zone, through = Infinity }: Span) =>
    ({ at }: { readonly at: number }): boolean =>
      at <= through && dayIn(zone, at) >= from && dayIn(zone, at) <= to

  const verbAt = (user: string, at: number): string =>
    licenses
      .filter(({ user_id, time }) => user_id === user && Date.parse(time) <= at)
      .toSorted(
        (a, b) =>
          Date.parse(a.time) - Date.parse(b.time) || ((a.event_id ?? "") < (b.event_id ?? "") ? -1 : 1),
      )
      .at(-1)?.verb ?? "none"
  const liveAt = (user: string, at: number): boolean => ["assigned", "enabled"].includes(verbAt(user, at))

  /** What a member did and held; `at` is the last instant at which licences are looked at. */
  const memberOf = (user_id: string, span: Span, at: number) => {
    const own = events.filter((event) => event.actor_id === user_id && within(span)(event))
    const activating = own.filter(({ type }) => ACTIVATING.has(type))
    const start = Math.min(firstInstant(span.from, span.zone), at)
    const changes = licenses.map(({ time }) => Date.parse(time)).filter((time) => time >= start && time <= at)
    const sums: Record<string, number> = Object.fromEntries(METRICS.map((metric) => [metric, 0]))
    for (const { type, quantity } of own) {
      const metric = METRIC_OF.get(type) ?? ""
      sums[metric] = (sums[metric] ?? 0) + quantity
    }
    return {
      user_id,
      teams: teamsOf.get(user_id) ?? [],
      metrics: sums,
      acted: own.length > 0,
      active: activating.length > 0,
      active_days: new Set(activating.map((event) => dayIn(span.zone, event.at))).size,
      first_at: Math.min(...activating.map((event) => event.at)),
      last_at: Math.max(...activating.map((event) => event.at)),
      active_on: new Set(activating.map((event) => dayIn(span.zone, event.at))),
      live: liveAt(user_id, at),
      verb: verbAt(user_id, at),
      live_at_some_time: [start, ...changes].some((time) => liveAt(user_id, time)),
    }
  }

  /** Every member. */
  const members = (span: Span, at: number) => [...teamsOf.keys()].map((user) => memberOf(user, span, at))
  return {
    put,
    members,
    licenses,
    unknownIn: (span: Span): number => unknown.filter(within(span)).length,
  }
}
export type World = ReturnType<typeof makeWorld>
export type Member = ReturnType<World["members"]>[number]

/** A world of a tenant of its own, put into the store before the tests, with a key that sees it. */
export const placedWorld = (
  keyFor: (tenant: string) => Promise<string>,
  seed: number,
  zone: string,
  now: number,
) => {
  const world = makeWorld(seed, zone, now)
  const place = { world, key: "" }
  beforeAll(async () => {
    const tenant = newTenant()
    place.key = await keyFor(tenant)
    await world.put(tenant)
  })
  return place
}
