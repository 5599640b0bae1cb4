// The example queries, as a tenant's BI user, over rows whose answers are known.
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import type { Signal } from "#schemas/report-signals.ts"
import { testApp } from "../../api/test-app.ts"
import type { Action } from "../../api/test-rows.ts"
import { ask } from "../../test/ask-store.ts"
import { asBiUser, BI_TENANTS } from "../../test/bi-users.ts"
import {
  at,
  date,
  DAY,
  fillQueries,
  LAST_WEEK,
  MEMBERS,
  monday,
  month,
  OTHERS,
  stored,
  TODAY,
} from "./queries-world.ts"
import { codeOf } from "./test-tenants.ts"

const { call, keyFor } = testApp()
const tenant = BI_TENANTS.queries
const FOLDER = join(import.meta.dirname, "queries")
const FILES = readdirSync(FOLDER).toSorted()
const textOf = (file: string): string => readFileSync(join(FOLDER, file), "utf8")

beforeAll(() => fillQueries(tenant))

const sum = (actions: ReadonlyArray<Action>, type: string): number =>
  actions
    .filter((action) => action.type === type)
    .reduce((total, { quantity }) => total + Number(quantity ?? 1), 0)
const FUNNEL = new Set(["candidate.submitted", "interview.scheduled", "offer.extended", "placement.created"])
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
      team_id: "t_d",
      team: "Delivery",
      members: 1,
      active_members: 0,
      calls: 0,
      meetings: 0,
      submissions: 0,
      calls_per_active_member: null,
    },
    {
      team_id: "t_s",
      team: "Sales",
      members: 3,
      active_members: 2,
      calls: 10,
      meetings: 1,
      submissions: 1,
      calls_per_active_member: 5,
    },
    {
      team_id: "t_s2",
      team: "Sales",
      members: 1,
      active_members: 0,
      calls: 0,
      meetings: 0,
      submissions: 0,
      calls_per_active_member: null,
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
    {
      client: "Umbrella",
      candidate_id: "k_bound",
      since: stored(at(400, 0)),
      last_action_at: stored(at(400, 0)),
    },
    { client: "Globex", candidate_id: "k_off", since: stored(at(60, 0)), last_action_at: stored(at(60, 0)) },
  ],
  "09-calls-and-inmails.sql": () => {
    const of = (weeks: number, type: string): number =>
      sum(
        MEMBERS.filter((action) => monday(daysAgo(action)) === monday(LAST_WEEK + 7 * weeks)),
        type,
      )
    return Array.from({ length: 12 }, (_, i) => 11 - i).map((weeks) => {
      const [calls, before] = [of(weeks, "phone_call.logged"), of(weeks + 1, "phone_call.logged")]
      return {
        week: monday(LAST_WEEK + 7 * weeks),
        calls,
        inmails: of(weeks, "inmail.logged"),
        text_messages: 0,
        change_of_calls: before === 0 ? null : (calls - before) / before,
      }
    })
  },
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
    insights("eve", "Sales", { active_days: 1 }, 14),
  ],
  "11-data-freshness.sql": () => [
    {
      last_received_at: stored(at(0, 0)),
      minutes_ago: expect.toSatisfy((n) => Math.abs(n - (Date.now() % DAY) / 60_000) < 3),
      actions_of_the_last_hour: expect.any(Number),
      actions_of_the_last_day: 19,
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
    groups(
      [...MEMBERS, ...OTHERS].filter(({ type }) => FUNNEL.has(type)),
      (action) => month(daysAgo(action)),
    ).map(([first, actions]) => {
      const [submitted, placed] = [sum(actions, "candidate.submitted"), sum(actions, "placement.created")]
      return {
        month: first,
        submitted,
        interviews: sum(actions, "interview.scheduled"),
        offers: sum(actions, "offer.extended"),
        placed,
        placed_of_100: submitted === 0 ? null : (100 * placed) / submitted,
      }
    }),
  "14-busy-hours.sql": () =>
    groups(
      MEMBERS.filter((action) => daysAgo(action) < 28),
      ({ time }) => `${((new Date(time).getUTCDay() + 6) % 7) + 1} ${time.slice(11, 13)}`,
    ).map(([key, actions]) => ({
      weekday: Number(key.slice(0, 1)),
      hour: Number(key.slice(2)),
      actions: actions.length,
      members: new Set(actions.map(({ actor_id }) => actor_id)).size,
    })),
  "15-actions-by-channel.sql": () => [
    { channel_name: "unknown", actions: 13 + 19, actors: 8, automated_share: 0 },
    { channel_name: "automation", actions: 1, actors: 1, automated_share: 1 },
  ],
}

describe("the example queries", () => {
  it.each(FILES)("%s has the known answer", async (file) => {
    expect(await ask(textOf(file), asBiUser(tenant))).toEqual(ANSWERS[file]?.())
  })

  it("08 lists whom the API's signal lists", async () => {
    const { body } = await call("/v1/signals?type=off_platform_risk", await keyFor(tenant))
    const signals = body.data as ReadonlyArray<Signal>
    const rows = await ask(textOf("08-hiring-off-the-platform.sql"), asBiUser(tenant))
    expect(rows.map(({ client, candidate_id, since }) => [client, candidate_id, since])).toEqual(
      signals
        .toSorted((one, other) => Date.parse(one.first_at) - Date.parse(other.first_at))
        .map(({ client_name, candidate_id, first_at }) => [
          client_name,
          candidate_id,
          stored(new Date(first_at).toISOString()),
        ]),
    )
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
