import type { DirectoryEvent } from "#schemas/directory-event.ts"
import { Random } from "./random.ts"
import { makeTargets } from "./targets.ts"

export const DEMO_TENANT = "demo"
export const DEMO_ZONE = "Europe/London"

const DAY = 86_400_000

/** A licensed user and how that person works. */
export interface Member {
  readonly user_id: string
  readonly name: string
  readonly team_id: string
  /** Actions on an ordinary day, about. */
  readonly pace: number
  /** First hour of work, local time. */
  readonly begins: number
  /** Works on these weekdays, Monday 1. */
  readonly weekdays: ReadonlyArray<number>
  /** What the person leans to. */
  readonly bent: "sourcer" | "caller" | "writer" | "account"
  /** Days before the end at which the licence began. */
  readonly since: number
  /** Days before the end at which the person stopped. */
  readonly until: number
}

/** A client's user and how far that client's hiring goes. */
export interface ClientUser {
  readonly user_id: string
  readonly client_id: string
  readonly name: string
  readonly pace: number
  /** `browses` looks and schedules nothing; `leaves` downloads and is not heard of again; `hires` goes all the way. */
  readonly habit: "hires" | "browses" | "leaves"
}

export interface People {
  readonly members: ReadonlyArray<Member>
  readonly clientUsers: ReadonlyArray<ClientUser>
  readonly jobs: ReadonlyArray<{ readonly job_id: string; readonly client_id: string }>
  readonly candidates: ReadonlyArray<string>
  readonly events: ReadonlyArray<DirectoryEvent>
}

const FIRST = [
  "Amara",
  "Ben",
  "Chloé",
  "Daniel",
  "Elif",
  "Femi",
  "Grace",
  "Hugo",
  "Ines",
  "Jonas",
  "Keiko",
  "Liam",
  "Maya",
  "Noor",
  "Oskar",
  "Priya",
  "Quinn",
  "Rosa",
  "Sven",
  "Tara",
] as const
const LAST = [
  "Adeyemi",
  "Brown",
  "Costa",
  "Dahl",
  "Evans",
  "Fischer",
  "García",
  "Hughes",
  "Ito",
  "Jansen",
  "Khan",
  "Lopez",
] as const
const TEAMS = [
  { team_id: "engineering", name: "Engineering desk" },
  { team_id: "finance", name: "Finance desk" },
  { team_id: "healthcare", name: "Healthcare desk" },
  { team_id: "executive", name: "Executive search" },
] as const
const CLIENTS = [
  "Northwind Labs",
  "Harbour Bank",
  "Meridian Health",
  "Atlas Robotics",
  "Juniper Foods",
  "Kestrel Energy",
  "Lighthouse Media",
  "Orchard Insurance",
] as const
const HABITS = ["hires", "hires", "browses", "hires", "leaves", "hires", "browses", "hires"] as const
const TITLES = [
  "Backend Engineer",
  "Controller",
  "Ward Nurse",
  "Chief of Staff",
  "Data Analyst",
  "Payroll Lead",
  "Site Manager",
] as const
const BENTS = ["sourcer", "caller", "writer", "account"] as const
/** How many days ago the newest members got their licences. */
const NEWCOMERS = [40, 33, 27, 20, 18, 13, 9, 6] as const

/** The demo tenant's directory, the same for every run on the same day. `now` is in milliseconds since 1970. */
export const makePeople = (now: number): People => {
  // Whole days, so that a second run on the same day repeats the first one's events.
  const end = Math.floor(now / DAY) * DAY
  const random = new Random(20_260_101)
  const events: Array<DirectoryEvent> = []
  const put = (type: DirectoryEvent["type"], key: string, data: object, time: number) =>
    events.push({
      specversion: "1.0",
      id: `demo.${type}.${key}`,
      source: "/demo",
      type,
      time: new Date(time).toISOString(),
      tenantid: DEMO_TENANT,
      data,
    } as DirectoryEvent)
  const long = Date.UTC(2026, 0, 1)

  put(
    "tenant.upserted",
    "tenant",
    { name: "Demo Recruiting", time_zone: DEMO_ZONE, contract_months: 12 },
    long,
  )
  for (const team of TEAMS) put("team.upserted", team.team_id, team, long)

  const members = Array.from({ length: 32 }, (_, n): Member => {
    const name = `${FIRST[n % FIRST.length]} ${LAST[(n * 5) % LAST.length]}`
    const isPartTime = n % 9 === 4
    return {
      user_id: `u_${n + 1}`,
      name,
      team_id: (TEAMS[n % TEAMS.length] ?? TEAMS[0]).team_id,
      // A few do most of the work, most do some, two do hardly any.
      pace: n % 16 === 15 ? 1 : n % 8 === 0 ? 55 + random.int(20) : 12 + random.int(25),
      begins: 7 + random.int(3),
      weekdays: isPartTime ? [1, 2, 3] : [1, 2, 3, 4, 5],
      bent: random.pick(BENTS),
      since: NEWCOMERS[n - (32 - NEWCOMERS.length)] ?? 400,
      until: n === 13 ? 12 : 0,
    }
  })
  for (const [n, member] of members.entries()) {
    const { user_id, name, team_id } = member
    put(
      "user.upserted",
      user_id,
      {
        user_id,
        kind: "member",
        name,
        email: `${name
          .normalize("NFD")
          .replaceAll(/[^A-Za-z ]/gu, "")
          .toLowerCase()
          .replace(" ", ".")}.${n + 1}@demo.example`,
        team_ids: n % 11 === 3 ? [team_id, "executive"] : [team_id],
        role: n % 8 === 0 ? "lead" : "recruiter",
      },
      long,
    )
    // One works without a licence; one has lost it.
    if (n === 22) continue
    put("license.assigned", user_id, { user_id }, member.since > 300 ? long : end - member.since * DAY)
    if (member.until > 0) put("license.disabled", user_id, { user_id }, end - member.until * DAY)
  }
  // Two licences that nobody uses, and one that was given back.
  for (const n of [41, 42, 43]) {
    const user_id = `u_${n}`
    put(
      "user.upserted",
      user_id,
      {
        user_id,
        kind: "member",
        name: `Spare Seat ${n - 40}`,
        email: `seat${n - 40}@demo.example`,
        team_ids: [],
      },
      long,
    )
    put("license.assigned", user_id, { user_id }, long)
    if (n === 43) put("license.deleted", user_id, { user_id }, end - 20 * DAY)
  }
  for (const { key, data } of makeTargets(end)) put("target.set", key, data, long)

  const clientUsers = CLIENTS.flatMap((name, c) => {
    const client_id = `c_${c + 1}`
    put("client.upserted", client_id, { client_id, name }, long)
    return [0, 1].map((k): ClientUser => {
      const user_id = `cu_${c + 1}_${k + 1}`
      const person = `${FIRST[(c * 3 + k * 7) % FIRST.length]} ${LAST[(c + k * 4) % LAST.length]}`
      put(
        "user.upserted",
        user_id,
        {
          user_id,
          kind: "client",
          name: person,
          email: `${user_id}@client.example`,
          team_ids: [],
          client_id,
        },
        long,
      )
      return { user_id, client_id, name: person, pace: 4 + random.int(8), habit: HABITS[c] ?? "hires" }
    })
  })
  const jobs = Array.from({ length: 24 }, (_, n) => {
    const job = { job_id: `j_${n + 1}`, client_id: `c_${(n % CLIENTS.length) + 1}` }
    put(
      "job.upserted",
      job.job_id,
      { ...job, title: TITLES[n % TITLES.length], status: n % 7 === 6 ? "closed" : "open" },
      long,
    )
    return job
  })
  const candidates = Array.from({ length: 240 }, (_, n) => {
    const candidate_id = `k_${n + 1}`
    const name = `${FIRST[(n * 7) % FIRST.length]} ${LAST[(n * 11) % LAST.length]}`
    put(
      "candidate.upserted",
      candidate_id,
      { candidate_id, name, email: `candidate${n + 1}@mail.example` },
      long,
    )
    return candidate_id
  })
  return { members, clientUsers, jobs, candidates, events }
}
