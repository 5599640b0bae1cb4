// The rows of a tenant with something of everything: each name carries a mark, each id an ending that may be another one's.
import {
  putActions,
  putAuditLog,
  putCandidates,
  putClients,
  putJobs,
  putLicenses,
  putTargets,
  putTeams,
  putTenant,
  putUsers,
} from "../api/test-rows.ts"

export interface Marks {
  /** In names, titles, e-mail addresses, pages. */
  readonly mark: string
  /** What ids end with. */
  readonly ids: string
  /**
   * Against a tenant with the same ids: the newer records, the greater numbers, more teams and another zone. Who
   * takes both tenants' rows for one's then answers otherwise than before the second one was there.
   */
  readonly isGreater: boolean
}

const DAY = 86_400_000
const CANDIDATES = 8

/** What makes signals and engagement: clients that look much and schedule nothing, in October and of late. */
const clientActions = ({ mark, ids, isGreater }: Marks) =>
  ["1", "2"].flatMap((client) =>
    [
      { when: "then", at: Date.parse("2026-10-10T10:00:00.000Z"), step: DAY },
      { when: "now", at: Date.now() - DAY, step: 60_000 },
    ].flatMap(({ when, at, step }) =>
      Array.from({ length: CANDIDATES }, (_, n) => ({
        id: `e_${ids}_client_${client}_${when}_${n}`,
        type: n % 2 === 0 ? "candidate_profile.viewed" : "cv.downloaded",
        time: new Date(at + n * step).toISOString(),
        actor_id: `c_user_${ids}`,
        actor_type: "client",
        client_id: `c_${client}_${ids}`,
        // What goes on of late is about others, or the first would not have been left alone.
        candidate_id: `k_${when}_${n}_${ids}`,
        job_id: `j_${client}_${ids}`,
        page: `page/${mark}`,
        quantity: isGreater ? 3 : 1,
        properties: JSON.stringify({ note: mark }),
      })),
    ),
  )

const memberActions = ({ mark, ids, isGreater }: Marks) =>
  ["u_1", "u_2", "u_3"].flatMap((user) =>
    ["contact.created", "note.logged", "user.logged_in", "cv.downloaded"].map((type, n) => ({
      id: `e_${ids}_${user}_${n}`,
      type,
      time: `2026-10-0${n + 2}T10:00:00.000Z`,
      actor_id: `${user}_${ids}`,
      contact_id: `p_${ids}`,
      candidate_id: `k_then_0_${ids}`,
      page: `page/${mark}`,
      quantity: isGreater ? 3 : 1,
    })),
  )

/** A candidate who acts, and somebody who acts for somebody else. */
const otherActions = ({ mark, ids }: Marks) => [
  {
    id: `e_${ids}_applied`,
    type: "candidate.applied",
    time: "2026-10-08T10:00:00.000Z",
    actor_id: `k_then_0_${ids}`,
    actor_type: "candidate",
    candidate_id: `k_then_0_${ids}`,
    job_id: `j_1_${ids}`,
    page: `page/${mark}`,
  },
  {
    id: `e_${ids}_impersonated`,
    type: "note.logged",
    time: "2026-10-08T11:00:00.000Z",
    actor_id: `u_1_${ids}`,
    impersonator_id: `u_2_${ids}`,
    contact_id: `p_${ids}`,
  },
]

const looks = ({ mark, ids }: Marks) =>
  ["1", "2"].map((n) => ({
    at: `2026-10-0${n}T10:00:00.000Z`,
    id: `a_${ids}_${n}`,
    actor_kind: "key",
    actor_id: `k_${ids}`,
    actor_name: `Key of ${mark}`,
    actor_user: `u_1_${ids}`,
    actor_role: "super_admin",
    action: "report.viewed",
    route: "GET /v1/actions",
    subject: "",
    filters: JSON.stringify({ note: mark }),
    request_id: `r_${ids}_${n}`,
    outcome: "ok",
  }))

const putDirectory = async (tenant: string, zone: string, { mark, ids, isGreater }: Marks): Promise<void> => {
  const version = isGreater ? "2026-01-02T00:00:00.000Z" : "2026-01-01T00:00:00.000Z"
  const [team, other] = [`t_1_${ids}`, `t_2_${ids}`]
  const person = (name: string) => ({
    name: `${name} ${mark}`,
    email: `${name.toLowerCase()}@${mark}.example`,
  })
  await putTenant(tenant, zone, { version, name: `Tenant ${mark}` })
  await putTeams(tenant, {
    [team]: { version, name: `Team ${mark}` },
    [other]: { version, name: `Other team ${mark}` },
  })
  await putUsers(tenant, {
    [`u_1_${ids}`]: { version, team_ids: isGreater ? [team, other] : [team], ...person("Ana") },
    [`u_2_${ids}`]: { version, team_ids: [team, other], ...person("Ben") },
    [`u_3_${ids}`]: { version, team_ids: isGreater ? [team] : [other], ...person("Cleo") },
    // Of whom a licence can be taken back.
    [`u_4_${ids}`]: { version, ...person("Eva") },
    [`u_5_${ids}`]: { version, ...person("Fay") },
    [`c_user_${ids}`]: { version, kind: "client", client_id: `c_1_${ids}`, ...person("Dan") },
  })
  for (const n of ["1", "2"]) {
    await putClients(tenant, { [`c_${n}_${ids}`]: { version, name: `Client ${n} ${mark}` } })
    const job = { version, title: `Job ${n} ${mark}`, client_id: `c_${n}_${ids}` }
    await putJobs(tenant, { [`j_${n}_${ids}`]: job })
  }
  await putCandidates(
    tenant,
    Object.fromEntries(
      ["then", "now"].flatMap((when) =>
        Array.from({ length: CANDIDATES }, (_, n) => [
          `k_${when}_${n}_${ids}`,
          { version, name: `Candidate ${n} ${mark}`, email: `k${n}@${mark}.example` },
        ]),
      ),
    ),
  )
  await putLicenses(
    tenant,
    ["u_1", "u_2", "u_3", "u_4", "u_5"].map((user, n) => ({
      user_id: `${user}_${ids}`,
      verb: isGreater && n === 1 ? "disabled" : "assigned",
      time: isGreater ? "2026-10-04T00:00:00.000Z" : "2026-10-02T00:00:00.000Z",
    })),
  )
}

/** Fills a tenant and gives the ids of its actions. */
export const putWorld = async (tenant: string, marks: Marks): Promise<ReadonlyArray<string>> => {
  const { mark, ids, isGreater } = marks
  const zone = isGreater ? "Asia/Kathmandu" : "UTC"
  await putDirectory(tenant, zone, marks)
  const target = {
    metric: "contacts_created",
    period: "week",
    holds_from: "2026-01-01",
    set_by: `by-${mark}`,
    set_at: isGreater ? "2026-01-02T00:00:00.000Z" : "2026-01-01T00:00:00.000Z",
  } as const
  const more = isGreater ? 100 : 0
  await putTargets(tenant, [
    { ...target, scope: "everyone", value: 5 + more },
    { ...target, scope: "user", scope_id: `u_1_${ids}`, value: 7 + more },
    { ...target, scope: "team", scope_id: `t_1_${ids}`, value: 9 + more },
  ])
  await putAuditLog(tenant, looks(marks))
  const actions = [...clientActions(marks), ...memberActions(marks), ...otherActions(marks)]
  await putActions(tenant, zone, actions)
  return actions.map(({ id }) => id)
}
