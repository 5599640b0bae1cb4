// A tenant with something of everything, each id and name of it carrying a mark.
import type { Export } from "#schemas/export-job.ts"
import type { testApp } from "../api/test-app.ts"
import {
  putActions,
  putCandidates,
  putClients,
  putJobs,
  putLicenses,
  putTargets,
  putTeams,
  putTenant,
  putUsers,
} from "../api/test-rows.ts"

export const RANGE = { from: "2026-10-01", to: "2026-10-31" } as const

type App = Pick<ReturnType<typeof testApp>, "call" | "keyFor">

/** Ids of the world, by the parameter or field that they are values of. */
export interface World {
  readonly tenant: string
  readonly mark: string
  readonly key: string
  readonly ids: Readonly<
    Record<
      | "user_id"
      | "user_email"
      | "team_id"
      | "client_id"
      | "candidate_id"
      | "job_id"
      | "key_id"
      | "export_id"
      | "event_id",
      ReadonlyArray<string>
    >
  >
}

const JSON_BODY = { "Content-Type": "application/json" }

/** What makes signals and engagement: a client that looks much and schedules nothing. */
const clientActions = (mark: string) =>
  Array.from({ length: 8 }, (_, n) => ({
    id: `e_${mark}_client_${n}`,
    type: n % 2 === 0 ? "candidate_profile.viewed" : "cv.downloaded",
    time: `2026-10-1${n}T10:00:00.000Z`,
    actor_id: `c_user_${mark}`,
    actor_type: "client",
    client_id: `c_${mark}`,
    candidate_id: `k_${mark}_${n}`,
    job_id: `j_${mark}`,
    page: `page/${mark}`,
    properties: JSON.stringify({ note: mark }),
  }))

const memberActions = (mark: string) =>
  ["u_1", "u_2"].flatMap((user) =>
    ["contact.created", "note.logged", "user.logged_in"].map((type, n) => ({
      id: `e_${mark}_${user}_${n}`,
      type,
      time: `2026-10-0${n + 2}T10:00:00.000Z`,
      actor_id: `${user}_${mark}`,
      contact_id: `p_${mark}`,
    })),
  )

/** Fills a tenant and asks for one export of it. */
export const makeWorld = async ({ call, keyFor }: App, tenant: string, mark: string): Promise<World> => {
  const key = await keyFor(tenant)
  await putTenant(tenant, "UTC", { name: `Tenant ${mark}` })
  await putTeams(tenant, { [`t_${mark}`]: { name: `Team ${mark}` } })
  await putUsers(tenant, {
    [`u_1_${mark}`]: { team_ids: [`t_${mark}`], name: `Ana ${mark}`, email: `ana@${mark}.example` },
    [`u_2_${mark}`]: { team_ids: [`t_${mark}`], name: `Ben ${mark}`, email: `ben@${mark}.example` },
    [`c_user_${mark}`]: { kind: "client", client_id: `c_${mark}`, name: `Client user ${mark}` },
  })
  await putClients(tenant, { [`c_${mark}`]: { name: `Client ${mark}` } })
  await putJobs(tenant, { [`j_${mark}`]: { title: `Job ${mark}`, client_id: `c_${mark}` } })
  const candidates = clientActions(mark).map(({ candidate_id }) => candidate_id)
  await putCandidates(
    tenant,
    Object.fromEntries(
      candidates.map((id) => [id, { name: `Candidate ${mark}`, email: `k@${mark}.example` }]),
    ),
  )
  await putLicenses(tenant, [
    { user_id: `u_1_${mark}`, verb: "assigned", time: "2026-01-01T00:00:00.000Z" },
    { user_id: `u_2_${mark}`, verb: "assigned", time: "2026-01-01T00:00:00.000Z" },
  ])
  const target = { metric: "contacts_created", period: "week", holds_from: "2026-01-01" } as const
  await putTargets(tenant, [
    { ...target, scope: "everyone", value: 5 },
    { ...target, scope: "user", scope_id: `u_1_${mark}`, value: 7, set_by: `by-${mark}` },
    { ...target, scope: "team", scope_id: `t_${mark}`, value: 9 },
  ])
  const actions = [...clientActions(mark), ...memberActions(mark)]
  await putActions(tenant, "UTC", actions)

  const named = await call("/v1/api-keys", key, {
    method: "POST",
    headers: JSON_BODY,
    body: JSON.stringify({ role: "recruiter", name: `Key of ${mark}` }),
  })
  const key_id: string = named.body.data.id
  await call(`/v1/grants/key:${key_id}`, key, {
    method: "PUT",
    headers: JSON_BODY,
    body: JSON.stringify({ rights: ["see_actions"] }),
  })
  const asked = await call("/v1/exports", key, {
    method: "POST",
    headers: { ...JSON_BODY, "Idempotency-Key": `idempotency-${mark}` },
    body: JSON.stringify({ report: "user_actions", format: "ndjson", ...RANGE }),
  })
  const { id } = asked.body.data as Export
  return {
    tenant,
    mark,
    key,
    ids: {
      user_id: [`u_1_${mark}`, `u_2_${mark}`, `c_user_${mark}`],
      user_email: [`ana@${mark}.example`, `k@${mark}.example`],
      team_id: [`t_${mark}`],
      client_id: [`c_${mark}`],
      candidate_id: candidates.slice(0, 2),
      job_id: [`j_${mark}`],
      key_id: [key_id],
      export_id: [id],
      event_id: actions.slice(0, 2).map((action) => action.id),
    },
  }
}
