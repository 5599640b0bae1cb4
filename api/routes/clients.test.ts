import { beforeAll, describe, expect, it } from "vitest"
import type { ClientEngagementRow } from "#schemas/report-clients.ts"
import { expectProblem, newTenant, testApp } from "../test-app.ts"
import { randomOf } from "../test-random.ts"
import { type Action, putActions, putClients, putJobs, putTenant } from "../test-rows.ts"

const { call, keyFor } = testApp()
const REPORT = "/v1/reports/client-engagement"
const ZONE = "Asia/Kathmandu"
const OCTOBER = "from=2026-10-01&to=2026-10-31"

type Row = ClientEngagementRow

const reportOf = async (key: string, query: string, limit = 500): Promise<ReadonlyArray<Row>> => {
  const rows: Array<Row> = []
  let cursor: string | null = null
  do {
    const at: string = cursor === null ? "" : `&cursor=${cursor}`
    const { status, body } = await call(`${REPORT}?${query}&limit=${limit}${at}`, key)
    expect(status, JSON.stringify(body)).toBe(200)
    expect(body.data.length).toBeLessThanOrEqual(limit)
    rows.push(...body.data)
    cursor = body.next_cursor
  } while (cursor !== null)
  return rows
}

const START = Date.parse("2026-09-28T00:00:00Z")
const DAY = 86_400_000
const random = randomOf(20_261_122)
const TYPES = [
  "job.posted",
  "candidate_profile.viewed",
  "candidate_profile.viewed",
  "cv.downloaded",
  "interview.scheduled",
  "interview.requested",
  "offer.extended",
  "placement.created",
  "note.logged",
] as const
/** 18:15 UTC is midnight in Kathmandu. */
const midnight = (): number => (1 + random.int(35)) * DAY + (18 * 60 + 15) * 60_000 + random.pick([-1, 0, 1])

/** Anything that the log may hold, midnights and a millisecond before among the times. */
const events = Array.from({ length: 1500 }, () => ({
  type: random.pick(TYPES),
  at: random.chance(0.3) ? midnight() : random.int(36 * DAY),
  actor_type: random.pick(["client", "client", "member", "service"]),
  automated: random.chance(0.1),
  impersonator_id: random.chance(0.1) ? "u_9" : "",
  quantity: random.pick([1, 1, 1, 2, 40]),
  client_id: random.pick(["", "c_1", "c_2", "c_3", "c_10"]),
  job_id: random.pick(["", "j_1", "j_2", "j_3"]),
  candidate_id: `k_${random.int(13)}`,
}))

const STAGES = [
  ["job_posted", "job.posted"],
  ["profile_viewed", "candidate_profile.viewed"],
  ["cv_downloaded", "cv.downloaded"],
  ["interview_scheduled", "interview.scheduled"],
  ["offer_extended", "offer.extended"],
  ["placement_created", "placement.created"],
] as const

/** The report, counted event by event. */
const counted = (
  from: string,
  to: string,
  zone: string,
): ReadonlyArray<Omit<Row, "client_name" | "job_title" | "job_status">> => {
  const clock = new Intl.DateTimeFormat("en-CA", { timeZone: zone })
  const groups = Map.groupBy(
    events.filter(({ at, automated, impersonator_id, client_id, job_id }) => {
      const day = clock.format(START + at)
      return (
        !automated && impersonator_id === "" && client_id !== "" && job_id !== "" && day >= from && day <= to
      )
    }),
    ({ client_id, job_id }) => `${client_id} ${job_id}`,
  )
  return [...groups.values()]
    .map((group) => {
      const of = (type: string) => group.filter((one) => one.type === type)
      const byClient = (type: string) => of(type).filter(({ actor_type }) => actor_type === "client")
      const sum = (list: typeof group) => list.reduce((total, { quantity }) => total + quantity, 0)
      return {
        client_id: group[0]?.client_id ?? "",
        job_id: group[0]?.job_id ?? "",
        profile_views: sum(byClient("candidate_profile.viewed")),
        unique_profiles_viewed: new Set(byClient("candidate_profile.viewed").map((one) => one.candidate_id))
          .size,
        cv_downloads: sum(byClient("cv.downloaded")),
        interviews_scheduled: sum(of("interview.scheduled")),
        stage: STAGES.findLast(([, type]) => of(type).length > 0)?.[0] ?? ("none" as const),
        last_action_at: new Date(START + Math.max(...group.map(({ at }) => at))).toISOString(),
      }
    })
    .toSorted((a, b) => (`${a.client_id} ${a.job_id}` < `${b.client_id} ${b.job_id}` ? -1 : 1))
}

const withoutNames = (rows: ReadonlyArray<Row>) =>
  rows.map((row) => {
    const { client_name: _, job_title: __, job_status: ___, ...counts } = row
    return counts
  })

const tenant = newTenant()
let key: string

beforeAll(async () => {
  key = await keyFor(tenant)
  await putTenant(tenant, ZONE)
  await putClients(tenant, { c_1: { name: "Zeta" }, c_2: { name: "Alpha" } })
  await putJobs(tenant, { j_1: { title: "Nurse", status: "closed" }, j_2: { title: "CFO" } })
  const actions = events.map(({ at, ...fields }, index): Action => ({
    ...fields,
    id: `e-${index}`,
    time: new Date(START + at).toISOString(),
    actor_id: `u_${index % 7}`,
  }))
  // In several inserts, so that a key has rows in several parts.
  for (let at = 0; at < actions.length; at += 500) await putActions(tenant, ZONE, actions.slice(at, at + 500))
})

describe("client engagement", () => {
  it.each([
    ["2026-10-01", "2026-10-31", undefined],
    ["2026-10-07", "2026-10-07", undefined],
    ["2026-10-01", "2026-10-31", "America/St_Johns"],
    ["2026-10-25", "2026-10-26", "Australia/Lord_Howe"],
    ["2026-10-12", "2026-10-18", "UTC"],
  ])("from %s to %s in %s is what a count of the events gives", async (from, to, tz) => {
    const query = `from=${from}&to=${to}${tz === undefined ? "" : `&tz=${tz}`}`
    const want = counted(from, to, tz ?? ZONE)
    expect(want.length).toBeGreaterThan(3)
    expect(withoutNames(await reportOf(key, query))).toEqual(want)
  })

  it("names clients and jobs as the directory has them, and those it does not know not at all", async () => {
    const rows = await reportOf(key, OCTOBER)
    const row = (client: string, job: string) =>
      rows.find(({ client_id, job_id }) => client_id === client && job_id === job)
    expect(row("c_1", "j_1")).toMatchObject({ client_name: "Zeta", job_title: "Nurse", job_status: "closed" })
    expect(row("c_2", "j_2")).toMatchObject({ client_name: "Alpha", job_title: "CFO", job_status: "open" })
    expect(row("c_3", "j_3")).toMatchObject({ client_name: null, job_title: null, job_status: null })
  })

  it("can be asked for clients, jobs and stages", async () => {
    const all = await reportOf(key, OCTOBER)
    const is = (want: (row: Row) => boolean) => all.filter(want)
    expect(await reportOf(key, `${OCTOBER}&client_id=c_1&client_id=c_3`)).toEqual(
      is(({ client_id }) => client_id === "c_1" || client_id === "c_3"),
    )
    expect(await reportOf(key, `${OCTOBER}&client_id=c_1&job_id=j_2`)).toEqual(
      is(({ client_id, job_id }) => client_id === "c_1" && job_id === "j_2"),
    )
    const short = "from=2026-10-07&to=2026-10-07"
    const stages = new Set((await reportOf(key, short)).map(({ stage }) => stage))
    expect(stages.size).toBeGreaterThan(1)
    for (const stage of stages)
      expect(await reportOf(key, `${short}&stage=${stage}`)).toEqual(
        (await reportOf(key, short)).filter((row) => row.stage === stage),
      )
  })

  const SORTS = {
    client_id: (row) => row.client_id,
    client_name: (row) => row.client_name,
    job_id: (row) => row.job_id,
    job_title: (row) => row.job_title,
    stage: ({ stage }) => STAGES.findIndex(([name]) => name === stage),
    profile_views: (row) => row.profile_views,
    unique_profiles_viewed: (row) => row.unique_profiles_viewed,
    cv_downloads: (row) => row.cv_downloads,
    interviews_scheduled: (row) => row.interviews_scheduled,
    last_action_at: (row) => row.last_action_at,
  } satisfies Record<string, (row: Row) => string | number | null>

  it.each(Object.entries<(row: Row) => string | number | null>(SORTS))(
    "sorted by %s, its pages hold every row once, in order, either way",
    async (sort, of) => {
      const all = await reportOf(key, OCTOBER)
      for (const descending of [false, true]) {
        const want = all.toSorted((one, other) => {
          const [a, b] = [of(one), of(other)]
          if (a === b) return 0
          if (a === null || b === null) return a === null ? 1 : -1
          return a < b === descending ? 1 : -1
        })
        expect(await reportOf(key, `${OCTOBER}&sort=${descending ? "-" : ""}${sort}`, 4)).toEqual(want)
      }
    },
  )

  it("pages over ids of any characters", async () => {
    const strange = newTenant()
    const ids = ["a", "a-", "a\0", "A", "é", "a\nb", "'", "\\", "{x:String}", "a b", "-"]
    await putActions(
      strange,
      "UTC",
      ids.flatMap((client_id, c) =>
        ids.map((job_id, j) => ({
          id: `e-${c}-${j}`,
          type: "job.posted",
          time: "2026-10-10T10:00:00.000Z",
          actor_id: "u",
          client_id,
          job_id,
        })),
      ),
    )
    const rows = await reportOf(await keyFor(strange), OCTOBER, 7)
    const bytes = ids.toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)))
    expect(rows.map(({ client_id, job_id }) => [client_id, job_id])).toEqual(
      bytes.flatMap((client) => bytes.map((job) => [client, job])),
    )
  })

  it("shows a late event in its own day", async () => {
    const late = newTenant()
    const lateKey = await keyFor(late)
    const view = (id: string, time: string): Action => ({
      id,
      time,
      type: "candidate_profile.viewed",
      actor_id: "cu",
      actor_type: "client",
      client_id: "c",
      job_id: "j",
      candidate_id: "k",
    })
    await putActions(late, "UTC", [view("1", "2026-10-20T10:00:00.000Z")])
    expect(await reportOf(lateKey, "from=2026-10-01&to=2026-10-10")).toEqual([])
    await putActions(late, "UTC", [view("2", "2026-10-02T10:00:00.000Z")])
    expect(await reportOf(lateKey, "from=2026-10-01&to=2026-10-10")).toMatchObject([
      { profile_views: 1, last_action_at: "2026-10-02T10:00:00.000Z" },
    ])
    expect(await reportOf(lateKey, OCTOBER)).toMatchObject([
      { profile_views: 2, unique_profiles_viewed: 1, last_action_at: "2026-10-20T10:00:00.000Z" },
    ])
  })

  it("is for super admins, and for whoever was granted it", async () => {
    for (const role of ["recruiter", "manager", "member", "producer"] as const)
      expectProblem(await call(`${REPORT}?${OCTOBER}`, await keyFor(tenant, role)), "forbidden", 403)
    expect(await reportOf(await keyFor(newTenant()), OCTOBER)).toEqual([])
  })
})
