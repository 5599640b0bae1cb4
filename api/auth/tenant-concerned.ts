import { Effect } from "effect"
import { type Refused, refuse } from "../http/failure.ts"
import type { Credential } from "./credential.ts"

/** Whom a call of administration concerns: the operator names a tenant, everybody else has one. */
export const tenantConcerned = (
  credential: Credential,
  named: string | undefined,
): Effect.Effect<string, Refused> => {
  const { tenant } = credential
  const detail =
    tenant === undefined
      ? "Name one: the operator belongs to none"
      : "Leave it out: it is that of the credential"
  const given = tenant === undefined ? named : named === undefined ? tenant : undefined
  return given === undefined
    ? Effect.fail(
        refuse("invalid_parameter", `tenant: ${detail}.`, { errors: [{ parameter: "tenant", detail }] }),
      )
    : Effect.succeed(given)
}
