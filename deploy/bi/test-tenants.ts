// What the tests of BI users share: a row of everything, and what the server says.
import {
  putActions,
  putCandidates,
  putClients,
  putJobs,
  putLicenses,
  putTeams,
  putTenant,
  putUsers,
} from "../../api/test-rows.ts"
import { ask, type Asking } from "../../test/ask-store.ts"

/** One row of everything, with the tenant's name in every text. */
export const fill = async (tenant: string) => {
  const at = new Date(Date.now() - 86_400_000).toISOString()
  await putTenant(tenant, "Europe/Berlin", { name: `Name of ${tenant}` })
  await putTeams(tenant, { [`${tenant}-team`]: { name: `Team of ${tenant}` } })
  await putUsers(tenant, { [`${tenant}-user`]: { team_ids: [`${tenant}-team`] } })
  await putClients(tenant, { [`${tenant}-client`]: { name: `Client of ${tenant}` } })
  await putCandidates(tenant, {
    [`${tenant}-candidate`]: { name: `Candidate of ${tenant}`, email: "c@example.org" },
  })
  await putJobs(tenant, { [`${tenant}-job`]: { title: `Job of ${tenant}`, client_id: `${tenant}-client` } })
  await putLicenses(tenant, [{ user_id: `${tenant}-user`, verb: "assigned", time: at }])
  await putActions(tenant, "Europe/Berlin", [
    {
      id: `${tenant}-event`,
      type: "candidate.submitted",
      time: at,
      actor_id: `${tenant}-user`,
      candidate_id: `${tenant}-candidate`,
      client_id: `${tenant}-client`,
      job_id: `${tenant}-job`,
      properties: JSON.stringify({ of: tenant }),
    },
  ])
}

export const READER = { user: "tidemark_reader" }
export const MIGRATOR = { user: "tidemark_migrator" }

export const ACCESS_DENIED = 497

export interface Named {
  readonly name: string
}

/** The server's error code; 0 when it answered. */
export const codeOf = async (statement: string, asking: Asking): Promise<number> => {
  try {
    await ask(statement, asking)
    return 0
  } catch (error) {
    return (error as { readonly code: number }).code
  }
}

/** The views of bi that a user sees. */
export const seenBy = async (asking: Asking): Promise<ReadonlyArray<string>> =>
  (await ask<Named>("SELECT name FROM system.tables WHERE database = 'bi' ORDER BY name", asking)).map(
    ({ name }) => name,
  )
