import type { ActionData, ActionEvent } from "#schemas/action-event.ts"
import { type ClientUser, DEMO_TENANT, DEMO_ZONE, type Member, type People } from "./people.ts"
import { Random } from "./random.ts"

const HOUR = 3_600_000
const DAY = 86_400_000
/** Two months, so that the last one has one before it to be compared with. */
const DEMO_DAYS = 62

/** What each bent does, the likelier the more often it stands there. */
const HABITS: Readonly<Record<Member["bent"], readonly [string, ...ReadonlyArray<string>]>> = {
  sourcer: [
    "search.performed",
    "candidate_profile.viewed",
    "candidate_profile.viewed",
    "contact.created",
    "contact.added_to_pool",
    "inmail.logged",
    "inmail.logged",
    "note.logged",
  ],
  caller: [
    "phone_call.logged",
    "phone_call.logged",
    "phone_call.logged",
    "note.logged",
    "contact.updated",
    "meeting.logged",
    "sms.sent",
  ],
  writer: [
    "direct_message.sent",
    "direct_message.sent",
    "inmail.logged",
    "email.logged",
    "email.logged",
    "note.logged",
    "contact.created",
  ],
  account: [
    "note.logged",
    "meeting.logged",
    "candidate.submitted",
    "candidate.stage_moved",
    "job.posted",
    "interview.scheduled",
    "phone_call.logged",
    "task.completed",
  ],
}

/** The hour by hour shape of a working day: a late morning peak, a lunch dip, an afternoon that tails off. */
const HOURS = [0.5, 0.9, 1.2, 1.3, 0.6, 1, 1.2, 1, 0.7, 0.3] as const

/** Offset of the demo's zone at an instant, in milliseconds. */
const offsetAt = (at: number): number => {
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone: DEMO_ZONE,
    hour: "2-digit",
    hourCycle: "h23",
    day: "2-digit",
  }).formatToParts(at)
  const hour = Number(parts.find(({ type }) => type === "hour")?.value)
  return (hour - new Date(at).getUTCHours()) * HOUR
}

const weekdayOf = (midnight: number): number => new Date(midnight).getUTCDay() || 7

/** What these people did in two months up to `end` (milliseconds since 1970), in order of time; the same for the same day. */
export const makeActivity = (people: People, end: number): ReadonlyArray<ActionEvent> => {
  const events: Array<ActionEvent> = []
  const put = (type: string, time: number, id: string, data: ActionData) => {
    if (time < end)
      events.push({
        specversion: "1.0",
        id: `demo.${id}`,
        source: "/demo/ats",
        type,
        time: new Date(time).toISOString(),
        tenantid: DEMO_TENANT,
        data,
      })
  }
  const today = Math.floor(end / DAY) * DAY
  const clients = [...new Set(people.clientUsers.map(({ client_id }) => client_id))]
  const habitOf = new Map(people.clientUsers.map(({ client_id, habit }) => [client_id, habit]))
  // Nobody schedules anything for those who look or leave, or they would give no signal.
  const hiring = people.jobs.filter(({ client_id }) => habitOf.get(client_id) === "hires")
  const candidatesOf = new Map(
    clients.map((client, n) => [client, people.candidates.filter((_, k) => k % clients.length === n)]),
  )

  const memberDay = (member: Member, midnight: number, offset: number, random: Random) => {
    if (!member.weekdays.includes(weekdayOf(midnight)) || random.chance(0.06)) return
    const date = new Date(midnight).toISOString().slice(0, 10)
    const start = midnight - offset + member.begins * HOUR
    put("user.logged_in", start + random.int(HOUR / 4), `${member.user_id}.${date}.login`, {
      actor_id: member.user_id,
      actor_type: "member",
      channel: "web",
    })
    // Mondays are for calls and plans, Fridays end early; newcomers pick up over their first weeks.
    const mood = [1, 1.1, 1.15, 1.05, 1, 0.7, 0.2][weekdayOf(midnight)] ?? 1
    let n = 0
    for (const [hour, share] of HOURS.entries()) {
      const count = Math.round((member.pace / 9) * share * mood * (0.5 + random.next()))
      for (let k = 0; k < count; k++) {
        const type = random.pick(HABITS[member.bent])
        const job = hiring[random.int(hiring.length)]
        const candidates = candidatesOf.get(job?.client_id ?? "") ?? []
        const candidate = candidates[random.int(candidates.length)]
        const isAboutJob = job !== undefined && /^(?:candidate\.|job\.|interview\.)/u.test(type)
        const at = start + hour * HOUR + random.int(HOUR)
        if (type === "interview.scheduled" && candidate !== undefined && random.chance(0.05))
          put("placement.created", at + HOUR / 2, `${member.user_id}.${date}.${n++}`, {
            actor_id: member.user_id,
            actor_type: "member",
            channel: "web",
            candidate_id: candidate,
            ...job,
          })
        put(type, at, `${member.user_id}.${date}.${n++}`, {
          actor_id: member.user_id,
          actor_type: "member",
          channel: random.chance(0.2) ? "extension" : "web",
          ...(random.chance(0.04) ? { quantity: 2 + random.int(9) } : {}),
          ...(random.chance(0.02) ? { automated: true } : {}),
          ...(candidate !== undefined && /^(?:candidate|interview)/u.test(type)
            ? { candidate_id: candidate }
            : {}),
          ...(isAboutJob ? job : {}),
          contact_id: `p_${random.int(800)}`,
        })
      }
    }
  }

  const clientDay = (user: ClientUser, midnight: number, offset: number, random: Random) => {
    if (weekdayOf(midnight) > 5 || random.chance(0.35)) return
    if (user.habit === "leaves" && midnight > today - 16 * DAY) return
    const date = new Date(midnight).toISOString().slice(0, 10)
    const jobs = people.jobs.filter(({ client_id }) => client_id === user.client_id)
    const candidates = candidatesOf.get(user.client_id) ?? []
    let at = midnight - offset + (9 + random.int(6)) * HOUR
    let n = 0
    const act = (type: string, data: Partial<ActionData>) => {
      at += random.int(HOUR / 6)
      put(type, at, `${user.user_id}.${date}.${n++}`, {
        actor_id: user.user_id,
        actor_type: "client",
        client_id: user.client_id,
        channel: "web",
        ...data,
      })
    }
    act("user.logged_in", {})
    for (let k = 0; k < user.pace; k++) {
      const job_id = jobs[random.int(jobs.length)]?.job_id
      const candidate_id = candidates[random.int(candidates.length)]
      if (job_id === undefined || candidate_id === undefined) continue
      const about = { job_id, candidate_id, page: "jobs/candidates" }
      act("candidate_profile.viewed", about)
      if (random.chance(user.habit === "browses" ? 0.1 : 0.3)) act("cv.downloaded", about)
      if (user.habit === "leaves" && random.chance(0.3)) act("candidate_contact.revealed", about)
      if (user.habit !== "hires") continue
      if (random.chance(0.2)) act("candidate.shortlisted", about)
      if (random.chance(0.12)) act("interview.scheduled", about)
      if (random.chance(0.03)) act("offer.extended", about)
      if (random.chance(0.015)) act("placement.created", about)
    }
  }

  for (let back = DEMO_DAYS - 1; back >= 0; back--) {
    const midnight = today - back * DAY
    const offset = offsetAt(midnight + 12 * HOUR)
    const seedOf = (n: number) => new Random(Math.floor(midnight / DAY) * 1000 + n)
    for (const [n, member] of people.members.entries())
      if (back <= member.since && back >= member.until) memberDay(member, midnight, offset, seedOf(n))
    for (const [n, user] of people.clientUsers.entries()) clientDay(user, midnight, offset, seedOf(500 + n))
  }
  return events.toSorted((a, b) => (a.time < b.time ? -1 : 1))
}
