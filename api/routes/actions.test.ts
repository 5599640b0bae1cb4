import { beforeAll, describe, expect, it } from "vitest"
import { CATALOGUE } from "#schemas/catalogue.ts"
import { ADMIN_KEY, expectProblem, newTenant, testApp } from "../test-app.ts"
import {
  type Action,
  eraseCandidates,
  eraseUsers,
  putActions,
  putCandidates,
  putClients,
  putJobs,
  putTenant,
  putUsers,
} from "../test-rows.ts"

const { call, keyFor } = testApp()
const OCTOBER = "from=2026-10-01&to=2026-10-31"

interface Row {
  readonly id: string
}

const tenant = newTenant()
let key: string

const logOf = async (query: string, as = key) => {
  const { status, body } = await call(`/v1/actions?${query}`, as)
  expect(status, JSON.stringify(body)).toBe(200)
  return body
}
const idsOf = async (query: string): Promise<ReadonlyArray<string>> =>
  (await logOf(query)).data.map(({ id }: Row) => id)

const FULL: Action = {
  id: "full",
  type: "cv.downloaded",
  time: "2026-10-25T00:30:00.125Z",
  actor_id: "cu_1",
  actor_type: "client",
  client_id: "c_1",
  candidate_id: "k_1",
  job_id: "j_1",
  contact_id: "p_1",
  page: "jobs/candidates",
  channel: "web",
  session_id: "s_1",
  quantity: 3,
  automated: true,
  impersonator_id: "u_9",
  properties: '{"file":"ü.pdf","n":[1,{"x":null}]}',
}
const BARE: Action = { id: "bare", type: "user.logged_in", time: "2026-10-25T01:30:00.000Z", actor_id: "u_1" }

beforeAll(async () => {
  key = await keyFor(tenant)
  await putTenant(tenant, "Europe/London")
  await putUsers(tenant, {
    u_1: { email: "One@x.org" },
    u_2: {},
    cu_1: { kind: "client", email: "cu@x.org" },
  })
  await putClients(tenant, { c_1: { name: "Client" } })
  await putCandidates(tenant, {
    k_1: { name: "Candidate", email: "k@x.org" },
    k_2: { name: "Gone", email: "gone@x.org" },
  })
  await putJobs(tenant, { j_1: { title: "Job" } })
  await eraseUsers(tenant, ["u_2"])
  await eraseCandidates(tenant, ["k_2"])
  await putActions(tenant, "Europe/London", [FULL])
  await putActions(tenant, "Europe/London", [
    BARE,
    { ...BARE, id: "erased", time: "2026-10-02T10:00:00.000Z", actor_id: "u_2", candidate_id: "k_2" },
    { ...BARE, id: "candidate", time: "2026-10-03T10:00:00.000Z", actor_id: "k_1", actor_type: "candidate" },
    { ...BARE, id: "unknown", time: "2026-10-01T10:00:00.000Z", actor_id: "ghost", type: "note.logged" },
    { ...BARE, id: "first", time: "2026-09-30T23:00:00.000Z" },
    { ...BARE, id: "before", time: "2026-09-30T22:59:59.999Z" },
    { ...BARE, id: "last", time: "2026-10-31T23:59:59.999Z" },
    { ...BARE, id: "after", time: "2026-11-01T00:00:00.000Z" },
  ])
})

describe("the log", () => {
  it("is every stored event of the range, newest first", async () => {
    expect(await idsOf(OCTOBER)).toEqual(["last", "bare", "full", "candidate", "erased", "unknown", "first"])
  })

  it("shows all that an event says, with the names of now", async () => {
    const { data } = await logOf(OCTOBER)
    expect(data[2]).toEqual({
      id: "full",
      type: "cv.downloaded",
      action_label: "CV downloaded",
      occurred_at: "2026-10-25T01:30:00.125+01:00",
      occurred_at_utc: "2026-10-25T00:30:00.125Z",
      actor: { id: "cu_1", type: "client", name: "Name of cu_1", email: "cu@x.org" },
      client: { id: "c_1", name: "Client" },
      candidate: { id: "k_1", name: "Candidate", email: "k@x.org" },
      job: { id: "j_1", title: "Job" },
      contact_id: "p_1",
      page: "jobs/candidates",
      channel: "web",
      quantity: 3,
      automated: true,
      impersonator_id: "u_9",
      source: "/test",
      session_id: "s_1",
      properties: { file: "ü.pdf", n: [1, { x: null }] },
    })
    expect(data[1]).toMatchObject({
      occurred_at: "2026-10-25T01:30:00.000+00:00",
      client: null,
      candidate: null,
      job: null,
      page: null,
      channel: null,
      automated: false,
      impersonator_id: null,
      properties: null,
    })
  })

  it("has no name for the erased and the unknown, and a candidate's own for a candidate", async () => {
    const { data } = await logOf(OCTOBER)
    expect(data[4].candidate).toEqual({ id: "k_2", name: null, email: null })
    expect(data.slice(3, 6).map(({ actor }: { actor: object }) => actor)).toEqual([
      { id: "k_1", type: "candidate", name: "Candidate", email: "k@x.org" },
      { id: "u_2", type: "member", name: null, email: null },
      { id: "ghost", type: "member", name: null, email: null },
    ])
  })

  it("is shown in the zone that is asked for, and its days are that zone's", async () => {
    const { data, meta } = await logOf("from=2026-10-25&to=2026-10-25&tz=Asia/Kathmandu")
    expect(meta.time_zone).toBe("Asia/Kathmandu")
    expect(data.map(({ occurred_at }: { occurred_at: string }) => occurred_at)).toEqual([
      "2026-10-25T07:15:00.000+05:45",
      "2026-10-25T06:15:00.125+05:45",
    ])
  })

  it.each([
    ["client_id=c_1", ["full"]],
    ["client_id=c_1&client_id=c_2", ["full"]],
    ["client_id=c_2", []],
    ["user_id=u_1", ["last", "bare", "first"]],
    ["user_id=u_2&user_id=cu_1", ["full", "erased"]],
    ["user_email=one@X.org", ["last", "bare", "first"]],
    ["user_email=one@x.org&user_email=cu@x.org&candidate_id=k_1", ["full"]],
    ["user_email=nobody@x.org", []],
    ["user_email=u_2@example.org", []],
    ["candidate_id=k_1", ["full"]],
    ["job_id=j_1", ["full"]],
    ["action=note.logged&action=cv.downloaded", ["full", "unknown"]],
    ["action=note.logged&user_id=u_1", []],
  ])("is narrowed: %s", async (query, expected) => {
    expect(await idsOf(`${OCTOBER}&${query}`)).toEqual(expected)
  })

  it.each(["action=nope", "limit=1001", "limit=0", "sort=id", "team_id=t"])(
    "is not narrowed: %s",
    async (query) => {
      expect((await call(`/v1/actions?${OCTOBER}&${query}`, key)).status).toBe(400)
    },
  )
})

describe("pages of the log", () => {
  const other = newTenant()
  const many = Array.from({ length: 60 }, (_, index): Action => ({
    id: `e-${String(index).padStart(2, "0")}`,
    type: "user.logged_in",
    // Three at each time, over more than a year.
    time: new Date(
      Date.parse("2025-06-01T10:00:00.000Z") + Math.floor(index / 3) * 20 * 86_400_000,
    ).toISOString(),
    actor_id: "u_1",
  }))
  const RANGE = "from=2025-01-01&to=2026-12-31"
  const newestFirst = many.map(({ id }) => id).toReversed()
  let otherKey: string

  beforeAll(async () => {
    otherKey = await keyFor(other)
    await putActions(other, "UTC", many)
  })

  const pages = async (limit: number, between: () => Promise<void> = async () => undefined) => {
    const ids: Array<string> = []
    let cursor = ""
    do {
      const body = await logOf(`${RANGE}&limit=${limit}${cursor}`, otherKey)
      expect(body.data.length).toBeLessThanOrEqual(limit)
      ids.push(...body.data.map(({ id }: Row) => id))
      cursor = body.next_cursor === null ? "" : `&cursor=${body.next_cursor}`
      await between()
    } while (cursor !== "")
    return ids
  }

  it.each([7, 60, 1000])("of %d hold every event once, in order", async (limit) => {
    expect(await pages(limit)).toEqual(newestFirst)
  })

  it("do not shift while events arrive, late ones and new ones", async () => {
    let arrived = 0
    const arrive = async () => {
      arrived++
      // What the stream received after the first page: a later sequence, or a later life of the stream.
      const after = {
        generation: 900 + (arrived % 2),
        stream_seq: 1e15 + arrived,
        actor_id: "u_2",
        type: "user.logged_in",
      }
      await putActions(other, "UTC", [
        { ...after, id: `late-${arrived}`, time: "2025-07-01T00:00:00.000Z" },
        { ...after, id: `new-${arrived}`, time: "2026-11-01T00:00:00.000Z" },
      ])
    }
    expect(await pages(25, arrive)).toEqual(newestFirst)
    expect(arrived).toBe(3)
  })

  it("have cursors that go with no other list", async () => {
    const { next_cursor: cursor } = await logOf(`${RANGE}&limit=1`, otherKey)
    expectProblem(
      await call(`/v1/actions?${RANGE}&user_id=u_1&cursor=${cursor}`, otherKey),
      "invalid_cursor",
      400,
    )
    const { of, at } = JSON.parse(Buffer.from(cursor, "base64url").toString())
    for (const wrong of [
      { time: -1 },
      { time: 1e18 },
      { time: "x" },
      { id: 1 },
      { generation: 2 ** 32 },
      { sequence: 0.5 },
    ]) {
      const madeUp = Buffer.from(JSON.stringify({ of, at: { ...at, ...wrong } })).toString("base64url")
      expectProblem(await call(`/v1/actions?${RANGE}&cursor=${madeUp}`, otherKey), "invalid_cursor", 400)
    }
  })
})

it("the catalogue is the contract's", async () => {
  for (const as of [key, ADMIN_KEY]) {
    const { status, body } = await call("/v1/catalog", as)
    expect([status, body]).toEqual([200, { version: CATALOGUE.version, data: CATALOGUE.actions }])
  }
})
