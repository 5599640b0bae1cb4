// A tenant with something of everything, each name of it carrying a mark, and what can be named of it.
import type { Export } from "#schemas/export-job.ts"
import type { testApp } from "../api/test-app.ts"
import { makeLetters } from "./make-letters.ts"
import { type Marks, putWorld } from "./world-rows.ts"

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
      | "letter_id"
      | "event_id",
      ReadonlyArray<string>
    >
  >
}

const JSON_BODY = { "Content-Type": "application/json" }

const EXPORTS = [
  { report: "user_actions", format: "ndjson" },
  { report: "user_insights", format: "csv" },
] as const

/** Fills a tenant, makes a key that is granted something, and asks for two exports. */
export const makeWorld = async (
  { call, keyFor }: App,
  tenant: string,
  mark: string,
  { ids = mark, isGreater = false }: Partial<Omit<Marks, "mark">> = {},
): Promise<World> => {
  const key = await keyFor(tenant)
  const actions = await putWorld(tenant, { mark, ids, isGreater })

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
  const export_id: Array<string> = []
  for (const [n, asked] of EXPORTS.entries()) {
    const { body } = await call("/v1/exports", key, {
      method: "POST",
      headers: { ...JSON_BODY, "Idempotency-Key": `idempotency-${n}-${ids}` },
      body: JSON.stringify({ ...asked, ...RANGE }),
    })
    export_id.push((body.data as Export).id)
  }
  return {
    tenant,
    mark,
    key,
    ids: {
      user_id: [`u_1_${ids}`, `u_2_${ids}`, `u_3_${ids}`, `c_user_${ids}`],
      user_email: [`ana@${mark}.example`, `k0@${mark}.example`],
      team_id: [`t_1_${ids}`, `t_2_${ids}`],
      client_id: [`c_1_${ids}`, `c_2_${ids}`],
      candidate_id: [`k_then_0_${ids}`, `k_then_1_${ids}`],
      job_id: [`j_1_${ids}`, `j_2_${ids}`],
      key_id: [key_id],
      export_id,
      letter_id: await makeLetters(tenant, mark),
      event_id: actions.slice(0, 2),
    },
  }
}
