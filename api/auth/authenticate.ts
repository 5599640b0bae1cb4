import { Effect } from "effect"
import type { Nats, NatsError } from "#nats/connection.ts"
import { type Refused, refuse } from "../http/failure.ts"
import { allows, type Credential, isSameSecret, type Right, rolesWith } from "./credential.ts"
import { keyFinder } from "./keys.ts"

const BEARER = /^Bearer +(\S+) *$/iu

const challenge = (detail: string, error = ""): Refused =>
  refuse(
    "unauthorized",
    detail,
    { hint: "Send a key in the header `Authorization: Bearer <key>`." },
    { "WWW-Authenticate": `Bearer realm="tidemark"${error}` },
  )

const UNKNOWN = challenge("The credential is not known.", ', error="invalid_token"')

const forbidden = (role: string, right: Right): Refused =>
  refuse("forbidden", `A credential with the role ${role} may not do this.`, {
    hint: `It takes one with the role ${rolesWith(right).join(" or ")}.`,
  })

export type Authenticate = (
  header: string | undefined,
  right: Right,
) => Effect.Effect<Credential, Refused | NatsError, Nats>

/** Who asks, from the header `Authorization`, and whether they may. */
export const authenticator = (adminKey: string): Authenticate => {
  const findKey = keyFinder()
  const credentialOf = Effect.fnUntraced(function* (secret: string) {
    if (isSameSecret(secret, adminKey)) return { role: "operator", tenant: undefined } as const
    const record = yield* findKey(secret)
    if (record === undefined) return yield* UNKNOWN
    return { role: record.role, tenant: record.tenant } as const
  })
  return Effect.fn("authenticate")(function* (header, right) {
    if (header === undefined) return yield* challenge("There is no credential.")
    const secret = BEARER.exec(header)?.[1]
    if (secret === undefined) return yield* UNKNOWN
    const credential: Credential = yield* credentialOf(secret)
    if (!allows(credential, right)) return yield* forbidden(credential.role, right)
    return credential
  })
}
