// The example queries, as a tenant's BI user, over rows whose answers are known.
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
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
import { ask } from "../../test/ask-store.ts"
import { asBiUser, BI_TENANTS } from "../../test/bi-users.ts"
import { codeOf } from "./test-tenants.ts"

const tenant = BI_TENANTS.queries
const FOLDER = join(import.meta.dirname, "queries")
const FILES = readdirSync(FOLDER).toSorted()
const textOf = (file: string): string => readFileSync(join(FOLDER, file), "utf8")

const DAY = 86_400_000
const TODAY = Math.floor(Date.now() / DAY)
/** Days since the Monday of this week; 1970-01-01 was a Thursday. */
const SINCE_MONDAY = (TODAY + 3) % 7
/** Wednesday of last week, in days before today. */
const LAST_WEEK = SINCE_MONDAY + 5

const date = (ago: number): string => new Date((TODAY - ago) * DAY).toISOString().slice(0, 10)
const at = (ago: number, hour = 10): string => `${date(ago)}T${String(hour).padStart(2, "0")}:00:00.000Z`
/** As the store writes it. */
const stored = (time: string): string => time.replace("T", " ").replace("Z", "")
const monday = (ago: number): string => date(ago + ((TODAY - ago + 3) % 7))
const month = (ago: number): string => `${date(ago).slice(0, 8)}01`

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

const MEMBERS: ReadonlyArray<Action> = [
  act(LAST_WEEK, "ana", "phone_call.logged", { quantity: 6 }),
  act(LAST_WEEK, "ana", "meeting.logged"),
  act(LAST_WEEK, "ana", "note.logged", { quantity: 3 }),
  act(LAST_WEEK, "ana", "candidate.submitted", { candidate_id: "k_1" }),
  act(LAST_WEEK, "ben", "phone_call.logged", { quantity: 4 }),
  act(LAST_WEEK, "ben", "inmail.logged", { quantity: 4 }),
  act(LAST_WEEK, "cid", "user.logged_in"),
  act(LAST_WEEK + 7, "ben", "phone_call.logged", { quantity: 5 }),
  act(14, "eve", "task.created"),
  act(20, "ana", "placement.created", { quantity: 3 }),
  act(20, "ana", "interview.scheduled", { quantity: 2 }),
  act(20, "ben", "placement.created"),
  act(40, "dan", "note.logged"),
]
const viewed = (of: string, client_id: string, job_id: string, n: number) =>
  Array.from({ length: n }, (_, i) =>
    client(0, of, "candidate_profile.viewed", { client_id, job_id, candidate_id: `k_${i}` }),
  )
const OTHERS: ReadonlyArray<Action> = [
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
  act(50, "ats", "placement.created", {
    actor_type: "service",
    client_id: "c_2",
    job_id: "j_2",
    candidate_id: "k_hired",
  }),
]

beforeAll(async () => {
  await putTenant(tenant, "UTC")
  await putTeams(tenant, { t_s: { name: "Sales" }, t_d: { name: "Delivery" } })
  const sales = { team_ids: ["t_s"] }
  await putUsers(tenant, {
    ana: sales,
    ben: sales,
    cid: sales,
    dan: { team_ids: ["t_d"] },
    eve: {},
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
})

const sum = (actions: ReadonlyArray<Action>, type: string): number =>
  actions
    .filter((action) => action.type === type)
    .reduce((total, { quantity }) => total + Number(quantity ?? 1), 0)
const daysAgo = ({ time }: Action): number => TODAY - Math.floor(Date.parse(time) / DAY)
const groups = <Key extends string>(actions: ReadonlyArray<Action>, key: (action: Action) => Key) =>
  [...Map.groupBy(actions, key)].toSorted(([a], [b]) => (a < b ? -1 : 1))
const acting = (ago: number): number =>
  new Set(
    MEMBERS.filter((action) => daysAgo(action) === ago && action.type !== "user.logged_in").map(
      ({ actor_id }) => actor_id,
    ),
  ).size

const insights = (user_id: string, teams: string, numbers: object, last: number | undefined) => ({
  user_id,
  name: `Name of ${user_id}`,
  email: `${user_id}@example.org`,
  teams,
  license_status: "live",
  active_days: 0,
  last_activity_at: last === undefined ? null : stored(at(last)),
  contacts_created: 0,
  notes_logged: 0,
  phone_calls_logged: 0,
  inmails_logged: 0,
  submissions: 0,
  placements: 0,
  ...numbers,
})

const ANSWERS: Readonly<Record<string, () => ReadonlyArray<object>>> = {
  "01-training-needs.sql": () => [{ team_name: "Sales", user_id: "cid", logged: 0, team_median: 10 }],
  "02-top-performers.sql": () => [
    { user_id: "ana", placements: 3, interviews_scheduled: 2, share: 0.75 },
    { user_id: "ben", placements: 1, interviews_scheduled: 0, share: 0.25 },
  ],
  "03-adoption-of-new-users.sql": () => [
    { week: monday(15), new_licenses: 1, active_in_first_week: 1, active_now: 0, adoption: 1 },
  ],
  "04-teams-compared.sql": () => [
    {
      team: "Delivery",
      members: 1,
      active_members: 0,
      calls: 0,
      meetings: 0,
      submissions: 0,
      calls_per_active_member: null,
    },
    {
      team: "Sales",
      members: 3,
      active_members: 2,
      calls: 10,
      meetings: 1,
      submissions: 1,
      calls_per_active_member: 5,
    },
  ],
  "05-licenses-and-activity-ratio.sql": () =>
    Array.from({ length: 30 }, (_, i) => 29 - i).map((ago) => {
      const total_licenses = ago <= 15 ? 5 : 4
      const active_licenses = acting(ago)
      return {
        day: date(ago),
        total_licenses,
        active_licenses,
        active_without_license: 0,
        activity_ratio: Math.round((1000 * active_licenses) / total_licenses) / 1000,
      }
    }),
  "06-licenses-to-reclaim.sql": () => [
    { user_id: "cid", teams: "Sales", last_active_day: null },
    { user_id: "dan", teams: "Delivery", last_active_day: date(40) },
  ],
  "07-views-without-interviews.sql": () => [
    {
      client: "Globex",
      job: "Engineer",
      profiles_viewed: 5,
      cv_downloads: 1,
      last_action_at: stored(at(0, 0)),
    },
  ],
  "08-hiring-off-the-platform.sql": () => [
    { client: "Globex", candidate_id: "k_off", since: stored(at(60, 0)), last_action_at: stored(at(60, 0)) },
  ],
  "09-calls-and-inmails.sql": () =>
    groups(MEMBERS, (action) => monday(daysAgo(action))).map(([week, actions]) => ({
      week,
      calls: sum(actions, "phone_call.logged"),
      inmails: sum(actions, "inmail.logged"),
      text_messages: 0,
      change_of_calls: week === monday(LAST_WEEK) ? 1 : null,
    })),
  "10-user-insights-export.sql": () => [
    insights(
      "ana",
      "Sales",
      { active_days: 2, notes_logged: 3, phone_calls_logged: 6, submissions: 1, placements: 3 },
      LAST_WEEK,
    ),
    insights(
      "ben",
      "Sales",
      { active_days: 3, phone_calls_logged: 9, inmails_logged: 4, placements: 1 },
      LAST_WEEK,
    ),
    insights("cid", "Sales", {}, undefined),
    insights("dan", "Delivery", {}, undefined),
    insights("eve", "", { active_days: 1 }, 14),
  ],
  "11-data-freshness.sql": () => [
    {
      last_received_at: stored(at(0, 0)),
      minutes_ago: expect.toSatisfy((n) => Math.abs(n - (Date.now() % DAY) / 60_000) < 3),
      actions_of_the_last_hour: expect.any(Number),
      actions_of_the_last_day: 18,
    },
  ],
  "12-client-actions-export.sql": () => [
    {
      client_name: "Globex",
      actor_name: "Kim Lee",
      actor_email: "kim@globex.example",
      candidate_name: "Kay One",
      job_title: "Engineer",
      page: "jobs/candidates",
      action_label: "CV downloaded",
      local_time: stored(at(LAST_WEEK, 0)),
    },
  ],
  "13-funnel.sql": () =>
    groups(MEMBERS, (action) => month(daysAgo(action))).map(([first, actions]) => {
      const [submitted, placed] = [sum(actions, "candidate.submitted"), sum(actions, "placement.created")]
      return {
        month: first,
        submitted,
        interviews: sum(actions, "interview.scheduled"),
        offers: 0,
        placed,
        placed_of_100: submitted === 0 ? null : (100 * placed) / submitted,
      }
    }),
  "14-busy-hours.sql": () =>
    groups(
      MEMBERS.filter((action) => daysAgo(action) < 28),
      ({ time }) => String(((new Date(time).getUTCDay() + 6) % 7) + 1),
    ).map(([weekday, actions]) => ({
      weekday: Number(weekday),
      hour: 10,
      actions: actions.length,
      members: new Set(actions.map(({ actor_id }) => actor_id)).size,
    })),
  "15-actions-by-channel.sql": () => [
    { channel_name: "unknown", actions: 12 + 19, actors: 8, automated_share: 0 },
    { channel_name: "automation", actions: 1, actors: 1, automated_share: 1 },
  ],
}

describe("the example queries", () => {
  it.each(FILES)("%s has the known answer", async (file) => {
    expect(await ask(textOf(file), asBiUser(tenant))).toEqual(ANSWERS[file]?.())
  })

  it("are fifteen, each with the question that it answers", () => {
    expect(FILES).toEqual(Object.keys(ANSWERS))
    expect(FILES).toHaveLength(15)
    for (const file of FILES) expect(textOf(file)).toMatch(/^-- [A-Z][^?\n]*(?:\n-- [^?\n]*)?\?|^-- The /u)
  })

  it("say which of them need a user that sees names", async () => {
    for (const file of FILES)
      expect([file, (await codeOf(textOf(file), asBiUser(tenant, false))) !== 0]).toEqual([
        file,
        textOf(file).includes("Needs a user that sees names"),
      ])
  })
})
