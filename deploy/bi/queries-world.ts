// The rows over which the answers of the example queries are known.
import {
  type Action,
  putActions,
  putCandidates,
  putClients,
  putJobs,
  putLicenses,
  putTeams,
  putTenant,
  putUsers,
} from "../../api/test-rows.ts"

export const DAY = 86_400_000
export const TODAY = Math.floor(Date.now() / DAY)
/** Days since the Monday of this week; 1970-01-01 was a Thursday. */
const SINCE_MONDAY = (TODAY + 3) % 7
/** Wednesday of last week, in days before today. */
export const LAST_WEEK = SINCE_MONDAY + 5

export const date = (ago: number): string => new Date((TODAY - ago) * DAY).toISOString().slice(0, 10)
export const at = (ago: number, hour = 10): string =>
  `${date(ago)}T${String(hour).padStart(2, "0")}:00:00.000Z`
/** As the store writes it. */
export const stored = (time: string): string => time.replace("T", " ").replace("Z", "")
export const monday = (ago: number): string => date(ago + ((TODAY - ago + 3) % 7))
export const month = (ago: number): string => `${date(ago).slice(0, 8)}01`

let sequence = 0
const act = (ago: number, actor_id: string, type: string, more: Partial<Action> = {}): Action => ({
  id: `q-${++sequence}`,
  type,
  time: at(ago),
  actor_id,
  ...more,
})
const client = (ago: number, actor_id: string, type: string, more: Partial<Action>): Action =>
  act(ago, actor_id, type, { actor_type: "client", time: at(ago, 0), ...more })

const HIRING = { client_id: "c_2", job_id: "j_2", candidate_id: "k_hired" }

export const MEMBERS: ReadonlyArray<Action> = [
  // Of the running week, whatever the day.
  act(0, "cid", "user.logged_in", { time: at(0, 0) }),
  act(LAST_WEEK, "ana", "phone_call.logged", { quantity: 6 }),
  act(LAST_WEEK, "ana", "meeting.logged"),
  act(LAST_WEEK, "ana", "note.logged", { quantity: 3 }),
  act(LAST_WEEK, "ana", "candidate.submitted", HIRING),
  act(LAST_WEEK, "ben", "phone_call.logged", { quantity: 4 }),
  act(LAST_WEEK, "ben", "inmail.logged", { quantity: 4 }),
  act(LAST_WEEK, "cid", "user.logged_in"),
  act(LAST_WEEK + 7, "ben", "phone_call.logged", { quantity: 5 }),
  act(14, "eve", "task.created"),
  act(20, "ana", "placement.created", { ...HIRING, quantity: 3 }),
  act(20, "ana", "interview.scheduled", { ...HIRING, quantity: 2 }),
  act(20, "ben", "placement.created", HIRING),
  act(40, "dan", "note.logged"),
  // Calls with a week between them in which nobody did anything.
  act(LAST_WEEK + 49, "ben", "phone_call.logged", { quantity: 4 }),
  act(LAST_WEEK + 63, "ben", "phone_call.logged", { quantity: 8 }),
]
const viewed = (of: string, client_id: string, job_id: string, n: number) =>
  Array.from({ length: n }, (_, i) =>
    client(0, of, "candidate_profile.viewed", { client_id, job_id, candidate_id: `k_${i}` }),
  )
export const OTHERS: ReadonlyArray<Action> = [
  act(LAST_WEEK, "ana", "phone_call.logged", { quantity: 100, automated: true, channel: "automation" }),
  act(0, "clock", "page.viewed", { actor_type: "system", time: at(0, 0) }),
  ...viewed("kim", "c_1", "j_1", 5),
  client(LAST_WEEK, "kim", "cv.downloaded", {
    client_id: "c_1",
    job_id: "j_1",
    candidate_id: "k_1",
    page: "jobs/candidates",
  }),
  ...viewed("lou", "c_2", "j_2", 6),
  client(0, "lou", "interview.scheduled", { client_id: "c_2", job_id: "j_2", candidate_id: "k_1" }),
  ...viewed("max", "c_3", "j_3", 5),
  client(60, "kim", "candidate_contact.revealed", { client_id: "c_1", candidate_id: "k_off" }),
  client(60, "lou", "candidate_contact.revealed", { client_id: "c_2", candidate_id: "k_hired" }),
  client(52, "lou", "offer.extended", HIRING),
  client(50, "lou", "placement.created", { ...HIRING, quantity: 2 }),
  act(50, "ats", "placement.created", { actor_type: "service", ...HIRING }),
  // One interview was cancelled, one contract had ended before, another binds for longer than a year.
  client(60, "kim", "cv.downloaded", { client_id: "c_1", candidate_id: "k_met" }),
  client(58, "kim", "interview.cancelled", { client_id: "c_1", job_id: "j_1", candidate_id: "k_met" }),
  client(600, "kim", "candidate_contact.revealed", { client_id: "c_1", candidate_id: "k_free" }),
  client(100, "kim", "cv.downloaded", { client_id: "c_1", candidate_id: "k_free" }),
  client(400, "max", "candidate_contact.revealed", { client_id: "c_3", candidate_id: "k_bound" }),
]

export const fillQueries = async (tenant: string): Promise<void> => {
  await putTenant(tenant, "UTC", { contract_months: 18 })
  await putTeams(tenant, { t_s: { name: "Sales" }, t_s2: { name: "Sales" }, t_d: { name: "Delivery" } })
  const sales = { team_ids: ["t_s"] }
  await putUsers(tenant, {
    ana: sales,
    ben: sales,
    cid: sales,
    dan: { team_ids: ["t_d"] },
    eve: { team_ids: ["t_s2"] },
    fay: {},
    kim: { kind: "client", client_id: "c_1", name: "Kim Lee", email: "kim@globex.example" },
  })
  await putClients(tenant, { c_1: { name: "Globex" }, c_2: { name: "Initech" }, c_3: { name: "Umbrella" } })
  await putCandidates(tenant, { k_1: { name: "Kay One", email: "kay@example.org" } })
  await putJobs(tenant, {
    j_1: { title: "Engineer", client_id: "c_1" },
    j_2: { title: "Nurse", client_id: "c_2" },
    j_3: { title: "Cook", client_id: "c_3", status: "closed" },
  })
  await putLicenses(tenant, [
    ...["ana", "ben", "cid", "dan"].map((user_id) => ({ user_id, verb: "assigned", time: at(200) }) as const),
    { user_id: "eve", verb: "assigned", time: at(15) },
  ])
  await putActions(tenant, "UTC", [...MEMBERS, ...OTHERS])
}
