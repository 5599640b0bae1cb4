import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { attemptNats, Nats } from "#nats/connection.ts"
import { BUCKETS } from "#schemas/names.ts"
import type { Signal } from "#schemas/report-signals.ts"
import { expectProblem, newTenant, testApp } from "../test-app.ts"
import { makeClientWorld, putClientEvents, signalsOf, type SomeEvent } from "../test-clients.ts"
import { eraseCandidates, putCandidates, putClients, putUsers } from "../test-rows.ts"

const { call, keyFor, run } = testApp()
const DAY = 86_400_000

const of =
  (type: string) =>
  (days: number, more: Partial<SomeEvent> = {}): SomeEvent => ({
    type,
    ago: days * DAY,
    ...more,
  })
const viewed = of("candidate_profile.viewed")
const downloaded = of("cv.downloaded")
const revealed = of("candidate_contact.revealed")
const scheduled = of("interview.scheduled")
const noted = of("note.logged")

const candidate = (n: number) => ({ candidate_id: `k_${n}` })
const FIVE = [1, 2, 3, 4, 5].map((n) => viewed(3 + n, candidate(n)))

/** Types, clients and jobs or candidates of the signals of a world of these events. */
const found = async (
  events: ReadonlyArray<SomeEvent>,
  options: Parameters<typeof makeClientWorld>[1] = {},
) => {
  const { tenant } = await makeClientWorld(events, options)
  return names(await signalsOf(call, await keyFor(tenant)))
}
const names = (signals: ReadonlyArray<Signal>) =>
  signals.map(({ type, client_id, job_id, candidate_id }) => `${type} ${client_id} ${job_id ?? candidate_id}`)

/** Before the tenant's first call, as settings are remembered for a moment. */
const putSettings = (tenant: string, settings: object) =>
  run(
    Effect.gen(function* () {
      const { kv } = yield* Nats
      yield* attemptNats("put", async () =>
        (await kv.open(BUCKETS.tenantSettings)).put(tenant, JSON.stringify(settings)),
      )
    }),
  )

const ENGAGED = "engaged_not_scheduling c_1 j_1"
const RISK = "off_platform_risk c_1 k_1"

describe("engaged_not_scheduling", () => {
  it("is five different profiles or two different candidates' CVs, and no fewer", async () => {
    expect(await found(FIVE)).toEqual([ENGAGED])
    expect(await found(FIVE.slice(1))).toEqual([])
    expect(await found([downloaded(2, candidate(1)), downloaded(3, candidate(2))])).toEqual([ENGAGED])
    expect(await found([downloaded(2), downloaded(3), downloaded(3, { job_id: "j_2" })])).toEqual([])
  })

  it("does not take the same candidate for two, nor a bulk action, a member, a program or another for the client", async () => {
    expect(
      await found([...FIVE.slice(1), viewed(1, candidate(2)), viewed(2, { quantity: 9, ...candidate(3) })]),
    ).toEqual([])
    for (const other of [{ actor_type: "member" }, { automated: true }, { impersonator_id: "u" }])
      expect(await found([...FIVE.slice(1), { ...viewed(4), ...other }])).toEqual([])
  })

  it("is over with an interview since the first of them, not with one before it", async () => {
    expect(await found([...FIVE, scheduled(8.01)])).toEqual([ENGAGED])
    expect(await found([...FIVE, scheduled(7.99)])).toEqual([])
    expect(await found([...FIVE, { ...of("interview.requested")(1), actor_type: "member" }])).toEqual([])
    expect(await found([...FIVE, scheduled(1, { automated: true })])).toEqual([ENGAGED])
    expect(await found([...FIVE, scheduled(1, { job_id: "j_2" })])).toEqual([ENGAGED])
    expect(await found([...FIVE, of("interview.cancelled")(1)])).toEqual([ENGAGED])
  })

  it("is over when an interview of before is told late", async () => {
    const { tenant, now } = await makeClientWorld(FIVE)
    const key = await keyFor(tenant)
    expect(await signalsOf(call, key)).toHaveLength(1)
    await putClientEvents(tenant, now, [scheduled(5)])
    expect(await signalsOf(call, key)).toEqual([])
  })

  it("looks back fourteen days to the minute, whatever lies in the same quarter hour", async () => {
    const edge = (ms: number) => viewed(0, { ago: 14 * DAY + ms, ...candidate(1) })
    expect(await found([...FIVE.slice(1), edge(61_000)])).toEqual([])
    // The test itself takes its time.
    expect(await found([...FIVE.slice(1), edge(-60_000)])).toEqual([ENGAGED])
    const { tenant, now } = await makeClientWorld([...FIVE.slice(1), edge(60_000), edge(-60_000)])
    const [signal] = await signalsOf(call, await keyFor(tenant))
    const first_at = new Date(now - 14 * DAY + 60_000).toISOString()
    expect(signal).toMatchObject({ evidence_total: 5, first_at })
    expect(signal?.evidence).toHaveLength(5)
  })

  it("is not about a closed job, and about one that the directory does not know", async () => {
    expect(await found(FIVE, { closed: ["j_1"] })).toEqual([])
    const unknown = FIVE.map((event) => ({ ...event, job_id: "j_9" }))
    const { tenant } = await makeClientWorld(unknown)
    const [signal] = await signalsOf(call, await keyFor(tenant))
    expect(signal).toMatchObject({ job_id: "j_9", job_title: null })
    expect(signal?.reasons.at(-1)?.text).toContain("does not know the job")
  })
})

describe("off_platform_risk", () => {
  it("is a contact revealed or a CV downloaded and fourteen days of nothing", async () => {
    expect(await found([revealed(15)])).toEqual([RISK])
    expect(await found([downloaded(20)])).toEqual([RISK])
    expect(await found([revealed(13)])).toEqual([])
    expect(await found([viewed(20)])).toEqual([])
    expect(await found([revealed(20, { actor_type: "member" })])).toEqual([])
  })

  it("is not while anything happens, whoever acts and whatever the job", async () => {
    expect(await found([revealed(40), noted(13, { actor_type: "member", job_id: "" })])).toEqual([])
    expect(await found([revealed(40), noted(20)])).toEqual([RISK])
    expect(await found([revealed(40), noted(3, { automated: true })])).toEqual([RISK])
    expect(await found([revealed(40), noted(3, candidate(2))])).toEqual([RISK])
  })

  it("is not after an interview, an offer or a placement, before or since", async () => {
    for (const type of ["interview.requested", "interview.cancelled", "offer.extended", "placement.created"])
      for (const days of [20, 60])
        expect(await found([revealed(40), of(type)(days, { actor_type: "member", job_id: "j_2" })])).toEqual(
          [],
        )
  })

  it("is over when the contract is, counted from the first of them", async () => {
    expect(await found([revealed(400)])).toEqual([])
    expect(await found([revealed(400), revealed(50)])).toEqual([])
    expect(await found([revealed(400)], { months: 24 })).toEqual([RISK])
    expect(await found([revealed(50)], { months: 1 })).toEqual([])
  })
})

describe("signals", () => {
  it("say what they stand on: reasons one by one, events, and that it is no proof", async () => {
    const { tenant, events, now } = await makeClientWorld([
      revealed(30),
      downloaded(40),
      noted(20.5, { actor_type: "member" }),
    ])
    await putClients(tenant, { c_1: { name: "Contoso" } })
    await putCandidates(tenant, { k_1: { name: "Ana Lima" } })
    await putUsers(tenant, { [events[0]?.actor_id ?? ""]: { kind: "client", name: "Bo Tan" } })
    const [signal] = await signalsOf(call, await keyFor(tenant))
    expect(signal).toMatchObject({
      type: "off_platform_risk",
      client_name: "Contoso",
      candidate_name: "Ana Lima",
      job_id: null,
      job_title: null,
      evidence_total: 2,
    })
    expect(signal?.text).toMatch(/This is a sign to check, not proof\.$/u)
    expect(signal?.evidence).toMatchObject([
      { id: events[1]?.id, type: "cv.downloaded", action_label: "CV downloaded", job_id: "j_1" },
      { id: events[0]?.id, actor: { id: events[0]?.actor_id, type: "client", name: "Bo Tan" } },
    ])
    expect(signal?.evidence[0]?.occurred_at_utc).toBe(new Date(now - 40 * DAY).toISOString())
    expect(signal?.evidence[0]?.occurred_at).toMatch(/\+05:45$/u)
    const counts = signal?.reasons.map(({ code, value, threshold }) => [code, value, threshold])
    expect(counts).toEqual([
      ["contact_revealed", 1, 1],
      ["cv_downloaded", 1, 1],
      ["quiet", 20, 14],
      ["no_interview_offer_or_placement", null, null],
      ["within_contract", 12, null],
    ])
    for (const { text } of signal?.reasons ?? [])
      expect(text).not.toMatch(/Ana|Bo Tan|Contoso|undefined|NaN/u)
  })

  it("show twenty events at most, the earliest, and how many there are", async () => {
    const many = Array.from({ length: 50 }, (_, n) => viewed(10 - n / 10, candidate(n % 7)))
    const { tenant, events } = await makeClientWorld(many)
    const [signal] = await signalsOf(call, await keyFor(tenant))
    expect(signal?.evidence_total).toBe(50)
    expect(signal?.evidence.map(({ id }) => id)).toEqual(events.slice(0, 20).map(({ id }) => id))
  })

  it("name nobody when the tenant hides names, and nobody who was erased", async () => {
    const { tenant } = await makeClientWorld([revealed(20)])
    await putCandidates(tenant, { k_1: { name: "Ana Lima", email: "ana@x.org" } })
    await putUsers(tenant, Object.fromEntries([0, 1, 2, 3, 4].map((n) => [`cu_${n}`, { name: "Bo Tan" }])))
    await putSettings(tenant, { hide_names: true })
    const [signal] = await signalsOf(call, await keyFor(tenant))
    expect(signal).toMatchObject({ candidate_id: "k_1", candidate_name: null })
    expect(signal?.evidence[0]).toMatchObject({ candidate_name: null, actor: { name: null, email: null } })
    expect(JSON.stringify(signal)).not.toMatch(/Ana|ana@|Bo Tan|@example/u)

    const other = await makeClientWorld([revealed(20)])
    await putCandidates(other.tenant, { k_1: { name: "Ana Lima" } })
    await eraseCandidates(other.tenant, ["k_1"])
    expect(JSON.stringify(await signalsOf(call, await keyFor(other.tenant)))).not.toContain("Ana")
  })

  it("follow the tenant's thresholds", async () => {
    const { tenant } = await makeClientWorld([
      viewed(20, candidate(1)),
      viewed(21, candidate(2)),
      revealed(20, candidate(3)),
    ])
    const key = await keyFor(tenant)
    const signals = { engaged_days: 30, engaged_profiles: 2, engaged_cvs: 1, quiet_days: 30 }
    await putSettings(tenant, { signals })
    const { body } = await call("/v1/signals", key)
    expect(names(body.data)).toEqual([ENGAGED])
    expect(body.meta.thresholds).toEqual(signals)
    for (const wrong of [{ engaged_days: 0 }, { engaged_profiles: 1.5 }, { quiet_days: 366 }, { quiet: 1 }]) {
      const answer = await call("/v1/settings", key, {
        method: "PUT",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ signals: wrong }),
      })
      expectProblem(answer, "invalid_body", 400)
    }
  })

  it("can be asked for by type, client and job, in pages that hold every one once", async () => {
    const clients = ["c_1", "c_2", "c_10"]
    const jobs = ["j_1", "j_2"]
    const { tenant } = await makeClientWorld(
      clients.flatMap((client_id) => [
        ...jobs.flatMap((job_id) => FIVE.map((event) => ({ ...event, client_id, job_id }))),
        // Not whole days ago: the days of quiet, which a signal's text counts, would grow with the minute between calls.
        ...[7, 8, 9].map((n) =>
          revealed(20.5 + n, { client_id, job_id: n === 7 ? "j_2" : "", ...candidate(n) }),
        ),
      ]),
    )
    const key = await keyFor(tenant)
    const all = await signalsOf(call, key)
    const want = [
      ...["c_1", "c_10", "c_2"].flatMap((client) =>
        jobs.map((job) => `engaged_not_scheduling ${client} ${job}`),
      ),
      ...["c_1", "c_10", "c_2"].flatMap((client) =>
        [7, 8, 9].map((n) => `off_platform_risk ${client} k_${n}`),
      ),
    ]
    expect(names(all)).toEqual(want)
    for (const limit of [1, 2, 6, 7]) expect(await signalsOf(call, key, "", limit)).toEqual(all)
    expect(names(await signalsOf(call, key, "type=off_platform_risk", 4))).toEqual(want.slice(6))
    expect(names(await signalsOf(call, key, "client_id=c_10&client_id=c_9", 2))).toEqual(
      want.filter((name) => name.includes(" c_10 ")),
    )
    expect(names(await signalsOf(call, key, "job_id=j_2", 2))).toEqual(
      want.filter((name) => / (?:j_2|k_7)$/u.test(name)),
    )
    expectProblem(await call("/v1/signals?type=other", key), "invalid_parameter", 400)
    const { body } = await call("/v1/signals?limit=1", key)
    expectProblem(
      await call(`/v1/signals?client_id=c_1&cursor=${body.next_cursor}`, key),
      "invalid_cursor",
      400,
    )
  })

  it("are found among many clients, few of whom have any", async () => {
    const clients = Array.from({ length: 60 }, (_, n) => `c_${String(n).padStart(2, "0")}`)
    const { tenant } = await makeClientWorld(
      clients.flatMap((client_id, n) =>
        [1, 2].map((k) => revealed(n % 7 === 3 ? 20 : 5, { client_id, ...candidate(k) })),
      ),
    )
    const key = await keyFor(tenant)
    const want = clients
      .filter((_, n) => n % 7 === 3)
      .flatMap((client) => [1, 2].map((k) => `off_platform_risk ${client} k_${k}`))
    const asked = [...clients.toReversed(), ...clients].map((client) => `client_id=${client}`).join("&")
    for (const limit of [3, 100])
      for (const query of ["", asked]) expect(names(await signalsOf(call, key, query, limit))).toEqual(want)
  })

  it("are for super admins, and for whoever was granted them, of their own tenant", async () => {
    const { tenant } = await makeClientWorld(FIVE)
    for (const role of ["recruiter", "manager", "member", "producer"] as const)
      expectProblem(await call("/v1/signals", await keyFor(tenant, role)), "forbidden", 403)
    expect(await signalsOf(call, await keyFor(newTenant()))).toEqual([])
  })
})
